import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServer.SyncSpecification;
import io.modelcontextprotocol.server.McpServerFeatures.SyncPromptSpecification;
import io.modelcontextprotocol.server.McpServerFeatures.SyncResourceSpecification;
import io.modelcontextprotocol.server.McpServerFeatures.SyncResourceTemplateSpecification;
import io.modelcontextprotocol.server.McpSyncServerExchange;
import io.modelcontextprotocol.server.transport.HttpServletSseServerTransportProvider;
import io.modelcontextprotocol.server.transport.HttpServletStreamableServerTransportProvider;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.ElicitRequest;
import io.modelcontextprotocol.spec.McpSchema.ElicitResult;
import io.modelcontextprotocol.spec.McpSchema.GetPromptResult;
import io.modelcontextprotocol.spec.McpSchema.ProgressNotification;
import io.modelcontextprotocol.spec.McpSchema.Prompt;
import io.modelcontextprotocol.spec.McpSchema.PromptArgument;
import io.modelcontextprotocol.spec.McpSchema.PromptMessage;
import io.modelcontextprotocol.spec.McpSchema.ReadResourceResult;
import io.modelcontextprotocol.spec.McpSchema.Resource;
import io.modelcontextprotocol.spec.McpSchema.ResourceTemplate;
import io.modelcontextprotocol.spec.McpSchema.Role;
import io.modelcontextprotocol.spec.McpSchema.ServerCapabilities;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.TextResourceContents;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import io.modelcontextprotocol.spec.McpSchema.ToolAnnotations;
import jakarta.servlet.http.HttpServlet;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.ServerConnector;

/** An MCP server of the official Java SDK, over the transport that the arguments name; see ../README.md. */
public final class Server {

  private static final Map<String, Object> INTEGER = Map.of("type", "integer");
  private static final Map<String, Object> STRING = Map.of("type", "string");

  private static Path events;

  /** Appends a line to the file that outlives this process. */
  private static synchronized void event(String name) {
    try {
      Files.writeString(events, name + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  private static CallToolResult said(String text) {
    return CallToolResult.builder().addTextContent(text).isError(false).build();
  }

  private static int number(CallToolRequest request, String name) {
    return ((Number) request.arguments().get(name)).intValue();
  }

  private static CallToolResult echo(McpSyncServerExchange exchange, CallToolRequest request) {
    return said("Echo: " + request.arguments().get("message"));
  }

  /** The library tells no handler that it was cancelled. */
  private static CallToolResult slow(McpSyncServerExchange exchange, CallToolRequest request) {
    event("slow");
    int steps = number(request, "steps");
    Object token = request.progressToken();
    for (int step = 1; step <= steps; step++) {
      try {
        Thread.sleep(number(request, "stepMs"));
      } catch (InterruptedException error) {
        event("slow cancelled");
        return said("cancelled");
      }
      if (token != null) {
        exchange.progressNotification(
            new ProgressNotification(token, step, (double) steps, null));
      }
    }
    return said("done");
  }

  private static CallToolResult write(McpSyncServerExchange exchange, CallToolRequest request) {
    event("write");
    try {
      Thread.sleep(number(request, "waitMs"));
    } catch (InterruptedException error) {
      return said("interrupted");
    }
    return said("written");
  }

  private static CallToolResult fail(McpSyncServerExchange exchange, CallToolRequest request) {
    return CallToolResult.builder().addTextContent("it failed").isError(true).build();
  }

  private static CallToolResult broken(McpSyncServerExchange exchange, CallToolRequest request) {
    throw McpError.builder(-32050).message("it is broken").build();
  }

  /** Sends the client a request of its own. */
  private static CallToolResult ask(McpSyncServerExchange exchange, CallToolRequest request) {
    Map<String, Object> schema =
        Map.of("type", "object", "properties", Map.of("name", STRING), "required", List.of("name"));
    ElicitResult answer =
        exchange.createElicitation(ElicitRequest.builder("Who are you?", schema).build());
    if (answer.action() != ElicitResult.Action.ACCEPT) {
      return said(answer.action().name().toLowerCase());
    }
    return said("Hello, " + answer.content().get("name"));
  }

  private static Tool tool(String name, Map<String, Object> properties, boolean readOnly) {
    List<String> required = properties.keySet().stream().sorted().toList();
    Tool.Builder tool =
        Tool.builder(
            name, Map.of("type", "object", "properties", properties, "required", required));
    if (readOnly) tool.annotations(ToolAnnotations.builder().readOnlyHint(true).build());
    return tool.build();
  }

  private static ReadResourceResult text(String uri, String text) {
    return new ReadResourceResult(List.of(new TextResourceContents(uri, "text/plain", text)));
  }

  private static <S extends SyncSpecification<S>> void fill(SyncSpecification<S> server) {
    Resource note = Resource.builder("note://one", "note").mimeType("text/plain").build();
    ResourceTemplate item =
        ResourceTemplate.builder("item://{id}", "item").mimeType("text/plain").build();
    Prompt greet = new Prompt("greet", null, List.of(new PromptArgument("name", null, true)));
    server
        .serverInfo("java-official", "1.0.0")
        .capabilities(
            ServerCapabilities.builder().tools(true).resources(false, true).prompts(true).build())
        .toolCall(tool("echo", Map.of("message", STRING), true), Server::echo)
        .toolCall(tool("slow", Map.of("steps", INTEGER, "stepMs", INTEGER), true), Server::slow)
        .toolCall(tool("write", Map.of("waitMs", INTEGER), false), Server::write)
        .toolCall(tool("fail", Map.of(), false), Server::fail)
        .toolCall(tool("broken", Map.of(), false), Server::broken)
        .toolCall(tool("ask", Map.of(), false), Server::ask)
        .resources(
            new SyncResourceSpecification(
                note, (exchange, request) -> text("note://one", "a note")))
        .resourceTemplates(
            new SyncResourceTemplateSpecification(
                item,
                (exchange, request) ->
                    text(
                        request.uri(),
                        "item " + request.uri().substring("item://".length()))))
        .prompts(
            new SyncPromptSpecification(
                greet,
                (exchange, request) -> {
                  String said = "Say hello to " + request.arguments().get("name");
                  PromptMessage message = new PromptMessage(Role.USER, new TextContent(said));
                  return new GetPromptResult(null, List.of(message));
                }));
  }

  private static HttpServlet servlet(String output) {
    if (output.equals("sse")) {
      var sse =
          HttpServletSseServerTransportProvider.builder()
              .messageEndpoint("/message")
              .sseEndpoint("/sse")
              .build();
      var server = McpServer.sync(sse);
      fill(server);
      server.build();
      return sse;
    }
    var http = HttpServletStreamableServerTransportProvider.builder().mcpEndpoint("/mcp").build();
    var server = McpServer.sync(http);
    fill(server);
    server.build();
    return http;
  }

  private static void serve(String output, int port) throws Exception {
    var jetty = new org.eclipse.jetty.server.Server();
    var connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    jetty.addConnector(connector);
    var context = new ServletContextHandler();
    var holder = new ServletHolder(servlet(output));
    holder.setAsyncSupported(true);
    context.addServlet(holder, "/*");
    jetty.setHandler(context);
    jetty.start();
    System.out.println(connector.getLocalPort());
    System.in.transferTo(OutputStream.nullOutputStream());
    Runtime.getRuntime().halt(0);
  }

  public static void main(String[] arguments) throws Exception {
    String output = arguments[0];
    events = Path.of(arguments[2]);
    if (!output.equals("stdio")) {
      serve(output, Integer.parseInt(arguments[1]));
      return;
    }
    var server = McpServer.sync(new StdioServerTransportProvider(McpJsonDefaults.getMapper()));
    fill(server);
    server.build();
  }
}
