// An MCP server of the Go library mcp-go, over the transport that the arguments name; see ../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

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

func echo(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultText("Echo: " + req.GetString("message", "")), nil
}

func slow(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	event("slow")
	steps := req.GetInt("steps", 0)
	for step := 1; step <= steps; step++ {
		select {
		case <-ctx.Done():
			event("slow cancelled")
			return nil, ctx.Err()
		case <-time.After(time.Duration(req.GetInt("stepMs", 0)) * time.Millisecond):
		}
		if meta := req.Params.Meta; meta != nil && meta.ProgressToken != nil {
			params := map[string]any{"progressToken": meta.ProgressToken, "progress": step, "total": steps}
			_ = server.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", params)
		}
	}
	return mcp.NewToolResultText("done"), nil
}

func write(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	event("write")
	time.Sleep(time.Duration(req.GetInt("waitMs", 0)) * time.Millisecond)
	return mcp.NewToolResultText("written"), nil
}

func fail(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultError("it failed"), nil
}

func broken(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return nil, errors.New("it is broken")
}

func question() mcp.ElicitationParams {
	return mcp.ElicitationParams{
		Message: "Who are you?",
		RequestedSchema: map[string]any{
			"type":       "object",
			"properties": map[string]any{"name": map[string]any{"type": "string"}},
			"required":   []string{"name"},
		},
	}
}

func answered(answer mcp.ElicitationResponse) *mcp.CallToolResult {
	if answer.Action != mcp.ElicitationResponseActionAccept {
		return mcp.NewToolResultText(string(answer.Action))
	}
	content, _ := answer.Content.(map[string]any)
	return mcp.NewToolResultText(fmt.Sprintf("Hello, %v", content["name"]))
}

// ask sends the client a request of its own.
func ask(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	request := mcp.ElicitationRequest{Params: question()}
	answer, err := server.ServerFromContext(ctx).RequestElicitation(ctx, request)
	if err != nil {
		return nil, err
	}
	return answered(answer.ElicitationResponse), nil
}

// askInResult asks by its result, and is called again with the answer.
func askInResult(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if answer := server.ElicitationResponse(req.Params.InputResponses, "who"); answer != nil {
		return answered(answer.ElicitationResponse), nil
	}
	return server.NewInputRequestBuilder("").Elicit("who", question()).ToolResult(), nil
}

func text(uri string, text string) []mcp.ResourceContents {
	return []mcp.ResourceContents{
		mcp.TextResourceContents{URI: uri, MIMEType: "text/plain", Text: text},
	}
}

func newServer() *server.MCPServer {
	s := server.NewMCPServer("go-mcp-go", "1.0.0",
		server.WithToolCapabilities(true),
		server.WithResourceCapabilities(false, true),
		server.WithPromptCapabilities(true),
		server.WithElicitation(),
	)
	readOnly := mcp.WithReadOnlyHintAnnotation(true)
	s.AddTool(mcp.NewTool("echo", readOnly, mcp.WithString("message", mcp.Required())), echo)
	s.AddTool(mcp.NewTool("slow", readOnly,
		mcp.WithInteger("steps", mcp.Required()),
		mcp.WithInteger("stepMs", mcp.Required()),
	), slow)
	s.AddTool(mcp.NewTool("write", mcp.WithInteger("waitMs", mcp.Required())), write)
	s.AddTool(mcp.NewTool("fail"), fail)
	s.AddTool(mcp.NewTool("broken"), broken)
	s.AddTool(mcp.NewTool("ask"), ask)
	s.AddTool(mcp.NewTool("ask-in-result"), askInResult)
	s.AddResource(
		mcp.NewResource("note://one", "note", mcp.WithMIMEType("text/plain")),
		func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return text("note://one", "a note"), nil
		},
	)
	s.AddResourceTemplate(
		mcp.NewResourceTemplate("item://{id}", "item", mcp.WithTemplateMIMEType("text/plain")),
		func(_ context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			uri := req.Params.URI
			return text(uri, "item "+strings.TrimPrefix(uri, "item://")), nil
		},
	)
	s.AddPrompt(
		mcp.NewPrompt("greet", mcp.WithArgument("name", mcp.RequiredArgument())),
		func(_ context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			content := mcp.NewTextContent("Say hello to " + req.Params.Arguments["name"])
			return mcp.NewGetPromptResult("", []mcp.PromptMessage{mcp.NewPromptMessage("user", content)}), nil
		},
	)
	return s
}

func handler(output string) http.Handler {
	if output == "sse" {
		return server.NewSSEServer(newServer())
	}
	if output == "stateless" {
		return server.NewStreamableHTTPServer(newServer(), server.WithStateLess(true))
	}
	// It would speak the newest version beside its sessions.
	return server.NewStreamableHTTPServer(newServer(),
		server.WithStateful(true),
		server.WithStreamableHTTPProtocolVersions("2025-11-25", "2025-06-18", "2025-03-26"),
	)
}

func main() {
	output, port := os.Args[1], os.Args[2]
	if output == "stdio" {
		if err := server.ServeStdio(newServer()); err != nil {
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
