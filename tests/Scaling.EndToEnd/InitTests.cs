// init, as somebody uses it who has a configuration, a table, or nothing yet.
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class InitTests : IDisposable
{
    private const string Runs = "examples/cpu-study/runs.csv";

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_configuration_gives_a_search_against_it_that_runs_as_it_is()
    {
        _tool.Folder.Write("models/mine.json", File.ReadAllText(Path.Combine(Repository.Root, "pipelines/baselines/llama-3.2-3b.json")));

        var init = _tool.Run("init", "study", "--baseline", "models/mine.json");

        Assert.True(init.ExitCode == 0, init.Error);
        await Snapshot.Match(_tool.Portable(init.Error) + "\n" + File.ReadAllText(_tool.Folder["study/pipeline.yaml"]));
        var run = _tool.Run("run", "study/pipeline.yaml");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("For 2.82B parameters", File.ReadAllText(_tool.Folder["results/baseline/config/report.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_of_other_column_names_gives_a_fit_and_a_search_that_run_as_they_are()
    {
        _tool.Folder.Write("my runs.csv", OtherNames(("params", "parameters"), ("Train Tokens", "tokens"), ("val_loss", "loss"), ("d_model", "hidden"), ("n_layers", "layers"), ("d_ff", "intermediate"), ("n_heads", "heads"), ("n_kv_heads", "kv_heads"), ("head_dim", "head_size"), ("vocab_size", "vocabulary")));

        var init = _tool.Run("init", "--table", "my runs.csv");

        Assert.True(init.ExitCode == 0, init.Error);
        await Snapshot.Match(_tool.Portable(init.Error) + "\n" + File.ReadAllText(_tool.Folder["pipeline.yaml"]));
        var run = _tool.Run("run");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(File.Exists(_tool.Folder["results/my-runs/config/report.md"]), run.Error);
    }

    [Fact]
    public void A_table_without_shapes_gives_a_fit_that_runs_and_says_what_is_missing()
    {
        _tool.Folder.Write("runs.csv", OtherNames(("N", "parameters"), ("D", "tokens"), ("L", "loss")));

        var init = _tool.Run("init", "--table", "runs.csv");

        Assert.Contains("None tells the shape of a model", init.Error, StringComparison.Ordinal);
        var run = _tool.Run("run");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(File.Exists(_tool.Folder["results/runs/config/report.md"]));
    }

    /// <summary>The ratio is needed too: with the width alone the law has no shape to search.</summary>
    [Fact]
    public void A_table_that_tells_the_width_and_no_ratio_gets_a_report_of_the_law_alone()
    {
        _tool.Folder.Write("wide.csv", OtherNames(("N", "parameters"), ("D", "tokens"), ("L", "loss"), ("d_model", "hidden")));

        var init = _tool.Run("init", "--table", "wide.csv");

        Assert.Contains("None tells the shape of a model", init.Error, StringComparison.Ordinal);
        var run = _tool.Run("run");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(File.Exists(_tool.Folder["results/wide/config/report.html"]));
    }

    [Fact]
    public void A_table_with_other_separators_is_refused_with_what_it_begins_with()
    {
        _tool.Folder.Write("runs.tsv", "params\ttokens\tloss\n1000000\t20000000\t3.1\n");

        var init = _tool.Run("init", "--table", "runs.tsv");

        Assert.Equal(2, init.ExitCode);
        Assert.Contains("SCAL1093", init.Error, StringComparison.Ordinal);
        Assert.Contains("with commas between them", init.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_tool.Folder["pipeline.yaml"]));
    }

    /// <summary>The search asks for one where the runs have several; DocumentedCommandsTests run such a table.</summary>
    [Fact]
    public void Of_models_of_several_depths_the_greatest_depth_is_searched()
    {
        Assert.Equal(0, _tool.Run("init", "--table", Path.Combine(Repository.Root, "examples/tutorial/losses.csv")).ExitCode);

        Assert.Matches(@"\n      layers: 16 +# ", File.ReadAllText(_tool.Folder["pipeline.yaml"]));
    }

    [Fact]
    public void What_is_written_is_without_a_mistake_and_what_is_there_stays()
    {
        Assert.Equal(0, _tool.Run("init").ExitCode);
        Assert.Equal(0, _tool.Run("check").ExitCode);
        string written = File.ReadAllText(_tool.Folder["pipeline.yaml"]);

        var again = _tool.Run("init", "--table", Path.Combine(Repository.Root, Runs));

        Assert.Equal(2, again.ExitCode);
        Assert.Contains("SCAL1011", again.Error, StringComparison.Ordinal);
        Assert.Equal(written, File.ReadAllText(_tool.Folder["pipeline.yaml"]));
    }

    [Fact]
    public void A_file_that_is_not_there_no_JSON_no_Llama_or_no_table_is_told_and_nothing_is_written()
    {
        _tool.Folder.Write("text.json", "no JSON\n");
        _tool.Folder.Write("other.json", "{ \"model_type\": \"mamba\" }\n");
        _tool.Folder.Write("ragged.csv", "a,b\n1\n");

        Refused("SCAL1091", "--baseline", "nowhere.json");
        Refused("SCAL1091", "--table", "nowhere.csv");
        Refused("SCAL1092", "--baseline", "text.json");
        Refused("SCAL1092", "--baseline", "other.json");
        Refused("SCAL1093", "--table", "ragged.csv");
        Refused("SCAL1001", "--table", "ragged.csv", "--baseline", "other.json");
        Assert.False(Directory.Exists(_tool.Folder["new"]));
    }

    private void Refused(string code, params string[] words)
    {
        var init = _tool.Run(["init", "new", .. words]);

        Assert.Equal(2, init.ExitCode);
        Assert.Contains(code, init.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", init.Error, StringComparison.Ordinal);
    }

    /// <summary>The rows of the study that can be fitted, with columns of other names.</summary>
    private static string OtherNames(params (string Theirs, string Ours)[] columns)
    {
        string[][] rows = [.. File.ReadAllLines(Path.Combine(Repository.Root, Runs)).Select(Cells)];
        int At(string name) => Array.IndexOf(rows[0], name);
        var lines = rows.Skip(1).Where(r => r[At("annealed")] == "true" && r[At("learning_rate_factor")] == "1" && r[At("loss")].Length > 0)
            .Select(r => string.Join(',', columns.Select(c => r[At(c.Ours)])));
        return string.Join('\n', lines.Prepend(string.Join(',', columns.Select(c => c.Theirs)))) + "\n";
    }

    private static string[] Cells(string line) => [.. System.Text.RegularExpressions.Regex.Matches(line, "(?:^|,)(\"[^\"]*\"|[^,]*)").Select(m => m.Groups[1].Value)];
}
