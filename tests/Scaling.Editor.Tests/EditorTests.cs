// What an editor tells who writes a pipeline: findings while typing, completion, hover.
using Scaling.EndToEnd;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

public sealed class EditorTests(Editor editor) : IClassFixture<Editor>
{
    [NodeFact]
    public void A_right_pipeline_has_no_findings()
    {
        Assert.Empty(editor.Findings("stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2 } }\n"));
    }
}

/// <summary>A language server and the schema of the built tool, for all tests of a class.</summary>
public sealed class Editor : IDisposable
{
    private readonly Tool _tool = new();
    private LanguageServer? _server;
    private int _files;

    private LanguageServer Server => _server ??= Start();

    public IReadOnlyList<Squiggle> Findings(string yaml)
    {
        string path = Write(yaml);
        var findings = Server.Open(path);
        Server.Close(path);
        return findings;
    }

    public string Write(string yaml) => _tool.Folder.Write($"{++_files}.yaml", "# yaml-language-server: $schema=pipeline.schema.json\n" + yaml);

    public void Dispose()
    {
        _server?.Dispose();
        _tool.Dispose();
    }

    private LanguageServer Start()
    {
        _tool.Folder.Write("pipeline.schema.json", _tool.Run("schema").Output);
        return new LanguageServer();
    }
}
