// An MCP server of the Go library mcp-go whose tools run as tasks: tasks http|stdio PORT EVENTS. Over
// HTTP it prints its port, and ends when its standard input does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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

func work(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	event("work")
	for range req.GetInt("steps", 0) {
		select {
		case <-ctx.Done():
			event("work cancelled")
			return nil, ctx.Err()
		case <-time.After(time.Duration(req.GetInt("stepMs", 0)) * time.Millisecond):
		}
	}
	return mcp.NewToolResultText("done"), nil
}

// write does not ask whether it is to stop.
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

func newServer() *server.MCPServer {
	s := server.NewMCPServer("go-mcp-go", "1.0.0",
		server.WithToolCapabilities(true), server.WithTaskCapabilities(true, true, true))
	s.AddTool(mcp.NewTool("echo", mcp.WithString("message", mcp.Required())), echo)
	number := func(name string) mcp.ToolOption { return mcp.WithNumber(name, mcp.Required()) }
	optional := mcp.WithTaskSupport(mcp.TaskSupportOptional)
	required := mcp.WithTaskSupport(mcp.TaskSupportRequired)
	s.AddTool(mcp.NewTool("work", number("steps"), number("stepMs"), optional), work)
	s.AddTool(mcp.NewTool("write", number("waitMs"), optional), write)
	s.AddTool(mcp.NewTool("fail", required), fail)
	s.AddTool(mcp.NewTool("broken", required), broken)
	return s
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
	panic(http.Serve(listener, server.NewStreamableHTTPServer(newServer(), server.WithStateful(true))))
}
