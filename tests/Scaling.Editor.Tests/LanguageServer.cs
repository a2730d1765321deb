// The YAML language server as a process, spoken to as an editor speaks to it: JSON-RPC with headers over its standard streams.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

/// <summary>A finding of the server.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Message">What it says.</param>
public sealed record Squiggle(int Line, string Message)
{
    public override string ToString() => $"({Line}) {Message}";
}

/// <summary>yaml-language-server with the schema that a file's first line names, and no other: it asks no catalogue.</summary>
public sealed class LanguageServer : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private static readonly JsonObject Settings = new()
    {
        ["yaml"] = new JsonObject
        {
            ["validate"] = true, ["hover"] = true, ["completion"] = true, ["schemaStore"] = new JsonObject { ["enable"] = false },
        },
    };

    private readonly Process _process;
    private readonly Stream _toServer;
    private readonly BlockingCollection<JsonObject> _fromServer = [];
    private int _requests;

    public LanguageServer()
    {
        _process = Process.Start(new ProcessStartInfo(NodePackages.Node!, [NodePackages.File("yaml-language-server/bin/yaml-language-server"), "--stdio"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _toServer = _process.StandardInput.BaseStream;
        new Thread(Read) { IsBackground = true }.Start();
        Request("initialize", new JsonObject
        {
            ["processId"] = Environment.ProcessId,
            ["rootUri"] = null,
            ["capabilities"] = new JsonObject
            {
                ["workspace"] = new JsonObject { ["configuration"] = true },
                ["textDocument"] = new JsonObject
                {
                    ["completion"] = new JsonObject { ["completionItem"] = new JsonObject { ["snippetSupport"] = true, ["documentationFormat"] = new JsonArray("markdown") } },
                    ["hover"] = new JsonObject { ["contentFormat"] = new JsonArray("markdown") },
                },
            },
        });
        Notify("initialized", []);
        Notify("workspace/didChangeConfiguration", new JsonObject { ["settings"] = Settings.DeepClone() });
    }

    /// <summary>Opens a file of the disk and gives what is wrong with it, in the order of its lines.</summary>
    public IReadOnlyList<Squiggle> Open(string path) => Open([path])[0];

    /// <summary>The same of several files: the server rests before it validates, and does so once.</summary>
    public IReadOnlyList<IReadOnlyList<Squiggle>> Open(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            Notify("textDocument/didOpen", new JsonObject
            {
                ["textDocument"] = new JsonObject { ["uri"] = Uri(path), ["languageId"] = "yaml", ["version"] = 1, ["text"] = File.ReadAllText(path) },
            });
        }

        var found = new Dictionary<string, IReadOnlyList<Squiggle>>(StringComparer.Ordinal);
        while (found.Count < paths.Count)
        {
            var told = Await(m => (string?)m["method"] == "textDocument/publishDiagnostics" && paths.Any(p => Uri(p) == (string?)m["params"]!["uri"]), "findings")["params"]!;
            found[(string)told["uri"]!] =
            [
                .. told["diagnostics"]!.AsArray()
                    .Select(d => new Squiggle(1 + (int)d!["range"]!["start"]!["line"]!, (string)d["message"]!)).OrderBy(s => s.Line).ThenBy(s => s.Message, StringComparer.Ordinal),
            ];
        }

        return [.. paths.Select(p => found[Uri(p)])];
    }

    public void Close(string path) => Notify("textDocument/didClose", new JsonObject { ["textDocument"] = new JsonObject { ["uri"] = Uri(path) } });

    /// <summary>What is offered at a place of an open file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="line">From 1.</param>
    /// <param name="column">From 1; the cursor stands before it.</param>
    public IReadOnlyList<JsonObject> Complete(string path, int line, int column)
    {
        var answer = Request("textDocument/completion", At(path, line, column));
        return [.. (answer as JsonArray ?? answer!["items"]!.AsArray()).Select(i => i!.AsObject())];
    }

    /// <summary>What is shown of a place of an open file, as Markdown; null for nothing.</summary>
    public string? Hover(string path, int line, int column) => (string?)Request("textDocument/hover", At(path, line, column))?["contents"]?["value"];

    public void Dispose()
    {
        try
        {
            Request("shutdown", null);
            Notify("exit", []);
        }
        catch (IOException)
        {
            // It is gone already.
        }

        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _fromServer.Dispose();
    }

    private static string Uri(string path) => new Uri(path).AbsoluteUri;

    private static JsonObject At(string path, int line, int column) => new()
    {
        ["textDocument"] = new JsonObject { ["uri"] = Uri(path) }, ["position"] = new JsonObject { ["line"] = line - 1, ["character"] = column - 1 },
    };

    private JsonNode? Request(string method, JsonNode? parameters)
    {
        int id = ++_requests;
        Send(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters });
        var answer = Await(m => m["method"] is null && (int?)m["id"] == id, $"an answer to {method}");
        return answer["error"] is { } error ? throw new InvalidOperationException($"{method}: {error.ToJsonString()}") : answer["result"];
    }

    private void Notify(string method, JsonObject parameters) => Send(new JsonObject { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters });

    private void Send(JsonObject message)
    {
        byte[] body = Encoding.UTF8.GetBytes(message.ToJsonString());
        _toServer.Write(Encoding.ASCII.GetBytes($"Content-Length: {body.Length}\r\n\r\n"));
        _toServer.Write(body);
        _toServer.Flush();
    }

    /// <summary>The next message of that kind; what the server asks meanwhile is answered.</summary>
    private JsonObject Await(Func<JsonObject, bool> wanted, string what)
    {
        while (_fromServer.TryTake(out var message, Longest))
        {
            if (message["method"] is { } method && message["id"] is { } id)
            {
                Send(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone(), ["result"] = (string?)method == "workspace/configuration" ? Asked(message) : null });
            }
            else if (wanted(message))
            {
                return message;
            }
        }

        throw new TimeoutException($"the language server sent nothing for {Longest.TotalSeconds:0} s; waited for {what}");
    }

    private static JsonArray Asked(JsonObject request) =>
        [.. request["params"]!["items"]!.AsArray().Select(i => Settings[(string?)i!["section"] ?? ""]?.DeepClone())];

    private void Read()
    {
        var stream = _process.StandardOutput.BaseStream;
        try
        {
            while (Header(stream) is { } length)
            {
                byte[] body = new byte[length];
                stream.ReadExactly(body);
                _fromServer.Add(JsonNode.Parse(body)!.AsObject());
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The server ended, or whoever asked it did.
        }
    }

    /// <summary>The length of the next message; null at the end.</summary>
    private static int? Header(Stream stream)
    {
        var text = new StringBuilder();
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (stream.ReadByte() is >= 0 and var next)
            {
                text.Append((char)next);
            }
            else
            {
                return null;
            }
        }

        string line = text.ToString().Split("\r\n").First(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return int.Parse(line.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
