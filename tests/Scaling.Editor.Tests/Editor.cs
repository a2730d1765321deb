// An editor with a pipeline open: the language server and the schema of the built tool.
using System.Text.Json.Nodes;
using Scaling.EndToEnd;

namespace Scaling.Editor.Tests;

/// <summary>One language server for all tests: it takes its time to start. Each text is a file of its own, whose first line names the schema as 'init' writes it.</summary>
public sealed class Editor : IDisposable
{
    /// <summary>The schema of the built-in stages.</summary>
    public const string Usual = "pipeline.schema.json";

    private readonly Tool _tool = new();
    private LanguageServer? _server;
    private int _files;

    private LanguageServer Server => _server ??= Start();

    /// <summary>What is wrong with a pipeline; lines as in the text.</summary>
    public IReadOnlyList<Squiggle> Findings(string yaml, string schema = Usual) => Findings([yaml], schema)[0];

    /// <summary>What is wrong with each of several pipelines.</summary>
    public IReadOnlyList<IReadOnlyList<Squiggle>> Findings(IReadOnlyList<string> yamls, string schema = Usual)
    {
        string[] paths = [.. yamls.Select(y => Write(y, schema))];
        var findings = Server.Open(paths);
        Array.ForEach(paths, Server.Close);
        return [.. findings.Select(file => file.Select(f => f with { Line = f.Line - 1 }).ToArray())];
    }

    /// <summary>What is offered where the text has a <c>|</c>, by the words that a person sees.</summary>
    public IReadOnlyList<JsonObject> Offered(string yaml, string schema = Usual) => AtCursor(yaml, schema, Server.Complete);

    /// <summary>What is shown of the word behind the <c>|</c>, without the place of the schema.</summary>
    public string? Shown(string yaml) => AtCursor(yaml, Usual, Server.Hover)?.Split("\n\nSource:")[0];

    /// <summary>Writes the schema of a pipeline, which knows the stages of its plugins; its name.</summary>
    public string SchemaOf(string yaml)
    {
        string pipeline = $"{++_files}.yaml", schema = $"{_files}.schema.json";
        _tool.Folder.Write(pipeline, yaml);
        _tool.Folder.Write(schema, _tool.Run("schema", pipeline).Output);
        return schema;
    }

    public void Dispose()
    {
        _server?.Dispose();
        _tool.Dispose();
    }

    private T AtCursor<T>(string yaml, string schema, Func<string, int, int, T> ask)
    {
        int cursor = yaml.IndexOf('|', StringComparison.Ordinal);
        string before = FirstLine(schema) + yaml[..cursor];
        string path = Write(yaml.Remove(cursor, 1), schema);
        Server.Open(path);
        var answer = ask(path, before.Count(c => c == '\n') + 1, before.Length - before.LastIndexOf('\n'));
        Server.Close(path);
        return answer;
    }

    private string Write(string yaml, string schema) => _tool.Folder.Write($"{++_files}.yaml", FirstLine(schema) + yaml);

    private static string FirstLine(string schema) => $"# yaml-language-server: $schema={schema}\n";

    private LanguageServer Start()
    {
        _tool.Folder.Write(Usual, _tool.Run("schema").Output);
        return new LanguageServer();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(nameof(Editor))]
public sealed class EditorCollection : ICollectionFixture<Editor>;
