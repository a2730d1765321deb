// Stages of plugins in an editor: those that a schema knows are completed, and others stay possible where plugins are named.
using Scaling.EndToEnd;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

[Collection(nameof(Editor))]
public sealed class PluginStageTests(Editor editor)
{
    [NodeFact]
    public void A_type_that_is_not_built_in_is_accepted_where_plugins_are_named_and_refused_elsewhere()
    {
        Assert.Empty(editor.Findings("plugins: [ { package: Acme.Smooth, version: 1.2.0 } ]\nstages:\n  means: { uses: smooth, needs: { runs: a.csv }, with: { width: 3 } }\n"));
        Assert.Contains("others come with 'plugins:'", Assert.Single(editor.Findings("stages:\n  means: { uses: smooth }\n")).Message, StringComparison.Ordinal);
    }

    [NodeFact]
    public void The_schema_of_a_pipeline_knows_the_stages_of_its_plugins()
    {
        string yaml = $"plugins: [ {{ path: {Tool.TestPlugin} }} ]\nstages:\n  rows: {{ uses: echo }}\n";
        string schema = editor.SchemaOf(yaml);

        Assert.Empty(editor.Findings(yaml, schema));
        Assert.Contains("echo", editor.Offered(yaml + "  more:\n    uses: |", schema).Select(o => (string?)o["label"]));
        Assert.Contains("Property txet is not allowed.", editor.Findings(yaml + "  more: { uses: echo, with: { txet: a } }\n", schema).Select(f => f.Message));
    }
}
