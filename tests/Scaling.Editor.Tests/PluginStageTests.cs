// Stages of plugins in an editor: those that a schema knows are completed, and others stay possible where plugins are named.
using Scaling.EndToEnd;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

public sealed class PluginStageTests : IDisposable
{
    private readonly Editor _editor = new();

    public void Dispose() => _editor.Dispose();

    [NodeFact]
    public void A_type_that_is_not_built_in_is_accepted_where_plugins_are_named_and_refused_elsewhere()
    {
        Assert.Empty(_editor.Findings("plugins: [ { package: Acme.Smooth, version: 1.2.0 } ]\nstages:\n  means: { uses: smooth, needs: { runs: a.csv }, with: { width: 3 } }\n"));
        Assert.Contains("others come with 'plugins:'", Assert.Single(_editor.Findings("stages:\n  means: { uses: smooth }\n")).Message, StringComparison.Ordinal);
    }

    [NodeFact]
    public void The_schema_of_a_pipeline_knows_the_stages_of_its_plugins()
    {
        using var folder = new TemporaryFolder();
        string yaml = $"plugins: [ {{ path: {Tool.TestPlugin} }} ]\nstages:\n  rows: {{ uses: echo }}\n";
        _editor.UseSchemaOf(folder.Write("study.yaml", yaml));

        Assert.Empty(_editor.Findings(yaml));
        Assert.Contains("echo", _editor.Offered(yaml + "  more:\n    uses: |").Select(o => (string?)o["label"]));
        Assert.Contains("Property txet is not allowed.", _editor.Findings(yaml + "  more: { uses: echo, with: { txet: a } }\n").Select(f => f.Message));
    }
}
