// What an editor offers and explains while a pipeline is written.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Editor.Tests;

[Collection(nameof(Editor))]
public sealed class CompletionTests(Editor editor)
{
    [NodeFact]
    public void An_empty_file_is_offered_the_keys_of_a_pipeline() =>
        Assert.Superset(new HashSet<string> { "name", "seed", "plugins", "executor", "resources", "stages" }, Labels("|"));

    [NodeFact]
    public Task Under_stages_whole_stages_are_offered() =>
        Snapshot.Match(string.Join("\n\n", editor.Offered("stages:\n  |a").Where(o => Label(o).StartsWith("stage:", StringComparison.Ordinal)).Select(o => $"{Label(o)} — {o["documentation"]}\n{o["insertText"]}")));

    [NodeFact]
    public void Within_a_stage_its_keys_are_offered() =>
        Assert.Superset(new HashSet<string> { "uses", "needs", "with", "timeout", "executor", "resources" }, Labels("stages:\n  a:\n    u|"));

    [NodeFact]
    public void Behind_uses_the_types_are_offered_with_what_they_do()
    {
        var offered = editor.Offered("stages:\n  a:\n    uses: |");

        Assert.Equal(["export", "extrapolate", "fit", "measure", "search", "sweep", "train"], offered.Select(Label).Order(StringComparer.Ordinal));
        Assert.Equal("Lists the decoder shapes to train: every size with every x, ratio and GQA.", (string?)offered.Single(o => Label(o) == "sweep")["documentation"]);
    }

    [NodeFact]
    public void Within_needs_the_roles_of_the_type_are_offered() =>
        Assert.Superset(new HashSet<string> { "law", "speed", "scores", "shapes", "references" }, Labels("stages:\n  best:\n    uses: search\n    needs:\n      l|"));

    [NodeFact]
    public void Within_with_the_settings_of_the_type_are_offered_and_no_others()
    {
        var offered = Labels("stages:\n  runs:\n    uses: train\n    needs: shapes\n    with:\n      c|");

        Assert.Superset(new HashSet<string> { "corpus", "context", "tokens_per_parameter", "schedule" }, offered);
        Assert.DoesNotContain("sizes", offered);
    }

    [NodeFact]
    public void Behind_a_setting_of_few_words_they_are_offered_with_what_they_mean()
    {
        var offered = editor.Offered("stages:\n  runs:\n    uses: train\n    needs: shapes\n    with:\n      schedule: |");

        Assert.Equal(["cosine", "warmup-stable-decay"], offered.Select(Label).Order(StringComparer.Ordinal));
        Assert.Equal("half a cosine to a tenth", (string?)offered.Single(o => Label(o) == "cosine")["documentation"]);
    }

    [NodeFact]
    public void Behind_a_setting_that_takes_files_the_names_and_schemes_are_offered() =>
        Assert.Superset(new HashSet<string> { "dotnet-docs", "text:", "tokens:" }, Labels("stages:\n  runs:\n    uses: train\n    needs: shapes\n    with:\n      corpus: |"));

    [NodeTheory]
    [InlineData("a type", "stages:\n  a:\n    |uses: sweep\n")]
    [InlineData("needs", "stages:\n  a:\n    uses: search\n    |needs: law\n")]
    [InlineData("a role", "stages:\n  a:\n    uses: search\n    needs: { |speed: b }\n")]
    [InlineData("a list of numbers", "stages:\n  a:\n    uses: sweep\n    with:\n      |head_size: 64\n")]
    [InlineData("a number", "stages:\n  a:\n    uses: search\n    with:\n      |tokens_per_parameter: 20\n")]
    [InlineData("a choice", "stages:\n  a:\n    uses: fit\n    with:\n      |law: auto\n")]
    [InlineData("files", "stages:\n  a:\n    uses: train\n    with:\n      |tokenizer: bpe\n")]
    [InlineData("a setting of a setting", "stages:\n  a:\n    uses: search\n    with:\n      baseline: { |hidden: 48 }\n")]
    [InlineData("a resource", "resources:\n  |mem: 32G\n")]
    public Task Behind_a_word_stands_what_it_means_in_which_unit_with_which_default(string what, string yaml) => Snapshot.Match(editor.Shown(yaml)!, what.Replace(' ', '-'));

    private HashSet<string> Labels(string yaml) => [.. editor.Offered(yaml).Select(Label)];

    private static string Label(JsonObject offered) => (string)offered["label"]!;
}
