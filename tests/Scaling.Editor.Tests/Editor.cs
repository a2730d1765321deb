// An editor with a pipeline open: the language server and the schema of the built tool.
using System.Text.Json.Nodes;
using Scaling.EndToEnd;

namespace Scaling.Editor.Tests;

/// <summary>One language server for all tests of a class; each text is a file of its own, whose first line names the schema as 'init' writes it.</summary>
public sealed class Editor : IDisposable
{
    private const string FirstLine = "# yaml-language-server: $schema=pipeline.schema.json\n";

    private readonly Tool _tool = new();
    private LanguageServer? _server;
    private int _files;

    private LanguageServer Server => _server ??= Start();

    /// <summary>What is wrong with a pipeline; lines as in the text.</summary>
    public IReadOnlyList<Squiggle> Findings(string yaml) => Findings([yaml])[0];

    /// <summary>What is wrong with each of several pipelines.</summary>
    public IReadOnlyList<IReadOnlyList<Squiggle>> Findings(IReadOnlyList<string> yamls)
    {
        string[] paths = [.. yamls.Select(Write)];
        var findings = Server.Open(paths);
        Array.ForEach(paths, Server.Close);
        return [.. findings.Select(file => file.Select(f => f with { Line = f.Line - 1 }).ToArray())];
    }

    /// <summary>What is offered where the text has a <c>|</c>, by the words that a person sees.</summary>
    public IReadOnlyList<JsonObject> Offered(string yaml) => AtCursor(yaml, Server.Complete);

    /// <summary>What is shown of the word behind the <c>|</c>, without the place of the schema.</summary>
    public string? Shown(string yaml) => AtCursor(yaml, Server.Hover)?.Split("\n\nSource:")[0];

    /// <summary>Uses the schema of a pipeline, which knows the stages of its plugins, in the place of that of the built-in stages. Before anything else: the server reads it once.</summary>
    public void UseSchemaOf(string pipeline) => _tool.Folder.Write("pipeline.schema.json", _tool.Run("schema", pipeline).Output);

    public void Dispose()
    {
        _server?.Dispose();
        _tool.Dispose();
    }

    private T AtCursor<T>(string yaml, Func<string, int, int, T> ask)
    {
        int cursor = yaml.IndexOf('|', StringComparison.Ordinal);
        string before = FirstLine + yaml[..cursor];
        string path = Write(yaml.Remove(cursor, 1));
        Server.Open(path);
        var answer = ask(path, before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'));
        Server.Close(path);
        return answer;
    }

    private string Write(string yaml) => _tool.Folder.Write($"{++_files}.yaml", FirstLine + yaml);

    private LanguageServer Start()
    {
        if (!File.Exists(_tool.Folder["pipeline.schema.json"]))
        {
            _tool.Folder.Write("pipeline.schema.json", _tool.Run("schema").Output);
        }

        return new LanguageServer();
    }
}
