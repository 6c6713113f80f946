// An MCP server of the official Go SDK, over the transport that the arguments name; see ../README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type noInput struct{}

type echoInput struct {
	Message string `json:"message"`
}

type slowInput struct {
	Steps  int `json:"steps"`
	StepMs int `json:"stepMs"`
}

type writeInput struct {
	WaitMs int `json:"waitMs"`
}

var eventsLock sync.Mutex

// event appends a line to the file that outlives this process.
func event(name string) {
	eventsLock.Lock()
	defer eventsLock.Unlock()
	file, err := os.OpenFile(os.Args[3], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintln(file, name)
}

func said(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

func echo(_ context.Context, _ *mcp.CallToolRequest, in echoInput) (*mcp.CallToolResult, any, error) {
	return said("Echo: " + in.Message), nil, nil
}

func slow(ctx context.Context, req *mcp.CallToolRequest, in slowInput) (*mcp.CallToolResult, any, error) {
	event("slow")
	token := req.Params.GetProgressToken()
	for step := 1; step <= in.Steps; step++ {
		select {
		case <-ctx.Done():
			event("slow cancelled")
			return nil, nil, ctx.Err()
		case <-time.After(time.Duration(in.StepMs) * time.Millisecond):
		}
		if token != nil {
			_ = req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: token,
				Progress:      float64(step),
				Total:         float64(in.Steps),
			})
		}
	}
	return said("done"), nil, nil
}

func write(_ context.Context, _ *mcp.CallToolRequest, in writeInput) (*mcp.CallToolResult, any, error) {
	event("write")
	time.Sleep(time.Duration(in.WaitMs) * time.Millisecond)
	return said("written"), nil, nil
}

func fail(context.Context, *mcp.CallToolRequest, noInput) (*mcp.CallToolResult, any, error) {
	result := said("it failed")
	result.IsError = true
	return result, nil, nil
}

func broken(context.Context, *mcp.CallToolRequest, noInput) (*mcp.CallToolResult, any, error) {
	return nil, nil, &jsonrpc.Error{Code: -32050, Message: "it is broken"}
}

func question() *mcp.ElicitParams {
	return &mcp.ElicitParams{
		Message: "Who are you?",
		RequestedSchema: &jsonschema.Schema{
			Type:       "object",
			Properties: map[string]*jsonschema.Schema{"name": {Type: "string"}},
			Required:   []string{"name"},
		},
	}
}

func answered(answer *mcp.ElicitResult) *mcp.CallToolResult {
	if answer.Action != "accept" {
		return said(answer.Action)
	}
	return said(fmt.Sprintf("Hello, %v", answer.Content["name"]))
}

// ask sends the client a request of its own.
func ask(ctx context.Context, req *mcp.CallToolRequest, _ noInput) (*mcp.CallToolResult, any, error) {
	answer, err := req.Session.Elicit(ctx, question())
	if err != nil {
		return nil, nil, err
	}
	return answered(answer), nil, nil
}

// askInResult asks by its result, and is called again with the answer.
func askInResult(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answer, ok := req.Params.InputResponses["who"].(*mcp.ElicitResult); ok {
		return answered(answer), nil
	}
	return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"who": question()}}, nil
}

func text(uri string, text string) *mcp.ReadResourceResult {
	return &mcp.ReadResourceResult{
		Contents: []*mcp.ResourceContents{{URI: uri, MIMEType: "text/plain", Text: text}},
	}
}

func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "go-official", Version: "1.0.0"}, nil)
	readOnly := &mcp.ToolAnnotations{ReadOnlyHint: true}
	mcp.AddTool(server, &mcp.Tool{Name: "echo", Annotations: readOnly}, echo)
	mcp.AddTool(server, &mcp.Tool{Name: "slow", Annotations: readOnly}, slow)
	mcp.AddTool(server, &mcp.Tool{Name: "write"}, write)
	mcp.AddTool(server, &mcp.Tool{Name: "fail"}, fail)
	mcp.AddTool(server, &mcp.Tool{Name: "broken"}, broken)
	mcp.AddTool(server, &mcp.Tool{Name: "ask"}, ask)
	server.AddTool(
		&mcp.Tool{Name: "ask-in-result", InputSchema: &jsonschema.Schema{Type: "object"}},
		askInResult,
	)
	server.AddResource(
		&mcp.Resource{URI: "note://one", Name: "note", MIMEType: "text/plain"},
		func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			return text("note://one", "a note"), nil
		},
	)
	server.AddResourceTemplate(
		&mcp.ResourceTemplate{URITemplate: "item://{id}", Name: "item", MIMEType: "text/plain"},
		func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			uri := req.Params.URI
			return text(uri, "item "+strings.TrimPrefix(uri, "item://")), nil
		},
	)
	server.AddPrompt(
		&mcp.Prompt{Name: "greet", Arguments: []*mcp.PromptArgument{{Name: "name", Required: true}}},
		func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			content := &mcp.TextContent{Text: "Say hello to " + req.Params.Arguments["name"]}
			return &mcp.GetPromptResult{
				Messages: []*mcp.PromptMessage{{Role: "user", Content: content}},
			}, nil
		},
	)
	return server
}

func handler(output string) http.Handler {
	server := newServer()
	get := func(*http.Request) *mcp.Server { return server }
	if output == "sse" {
		return mcp.NewSSEHandler(get, nil)
	}
	return mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		JSONResponse:                 output == "json",
		Stateless:                    output == "stateless",
		PropagateRequestCancellation: true,
	})
}

func main() {
	output, port := os.Args[1], os.Args[2]
	if output == "stdio" {
		if err := newServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, handler(output)))
}
