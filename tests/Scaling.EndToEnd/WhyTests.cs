// What changed since an earlier run, what is nearest to an action that is missing, what it costs; and runs that are told to differ.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class WhyTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb", count: 2 } }
          squares: { uses: square, needs: rows, with: { factors: [1], suffix: "!" } }
          total: { uses: collect, needs: squares }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Why_compares_with_any_earlier_run_and_names_the_nearest_entry_and_the_cost()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages.Replace("\"!\"", "\"?\""));
        Run();
        Run(); // Nothing to do: no run of its own.
        _tool.Write("study.yaml", Stages.Replace("\"!\"", "\"?\"").Replace("[1]", "[1, 3]"));
        string told = string.Concat(new[]
        {
            "why squares study.yaml", "why squares study.yaml --against 1", "why squares study.yaml --against last~1", "why squares@p1 study.yaml", "why squares@p1.1 study.yaml --against 1",
            "why squares@p2.1 study.yaml --against 2", "why rows study.yaml --against 1", "why total study.yaml --against last", "why squares study.yaml --against 7", "why squares study.yaml --against yesterday",
            "why squares@p1.3 study.yaml --json",
        }.Select(command =>
        {
            var why = _tool.Run(command.Split(' '));
            return $"$ {command}\n{why.Output}{why.Error}\n";
        }));

        await Snapshot.Match(Scrubbed(told));
    }

    [Fact]
    public void Runs_are_numbered_and_told_by_what_they_executed()
    {
        _tool.Write("study.yaml", Stages);
        for (int i = 0; i < 3; i++)
        {
            _tool.Write("study.yaml", Stages.Replace("\"!\"", $"\"{i}\""));
            Run();
        }

        Assert.Equal(["000001", "000002", "000003"], Directory.EnumerateFiles(_tool.Folder["store/history"], "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!).Order());
        Assert.Contains("""setting 'suffix' changed from "0" to "2" at""", _tool.Run("why", "squares", "study.yaml", "--against", "1").Output);
        Assert.Contains("""setting 'suffix' changed from "1" to "2" at""", _tool.Run("why", "squares", "study.yaml", "--against", "2").Output);
    }

    [Fact]
    public void Set_changes_a_setting_as_if_it_stood_in_the_file_and_is_recorded()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        string locked = File.ReadAllText(_tool.Folder["study.lock.json"]);

        var changed = _tool.Run("run", "study.yaml", "--json", "--set", "squares.factors=[1, 2]", "--set", "rows.count=3");
        string why = _tool.Run("why", "squares", "study.yaml").Output;
        _tool.Write("study.yaml", Stages.Replace("[1]", "[1, 2]").Replace("count: 2", "count: 3"));

        Assert.Equal(0, changed.ExitCode);
        Assert.Equal(4, changed.Count("squares", "executed"));
        Assert.Contains("The lock stays as it was", changed.Error);
        Assert.Equal(locked, File.ReadAllText(_tool.Folder["study.lock.json"]));
        Assert.Contains("nothing to do", why);
        Assert.Equal(0, Run().Executed);
    }

    [Theory]
    [InlineData("squares.sufix=a", "SCAL2040", 3)]
    [InlineData("squares.suffix=[1]", "--set squares.suffix=[1](1,1): error SCAL2042", 3)]
    [InlineData("squares.factors={a", "SCAL2010", 3)]
    [InlineData("circles.suffix=a", "SCAL1071", 3)]
    [InlineData("squares", "SCAL1070", 3)]
    [InlineData("squares=1", "SCAL1070", 3)]
    [InlineData(".=1", "SCAL1070", 3)]
    [InlineData("seed=often", "SCAL1072", 3)]
    public void Set_that_means_nothing_is_refused(string set, string told, int exit)
    {
        _tool.Write("study.yaml", Stages);

        var refused = _tool.Run("run", "study.yaml", "--set", set);

        Assert.Equal(exit, refused.ExitCode);
        Assert.Contains(told, refused.Error);
    }

    [Fact]
    public void Force_executes_all_and_from_what_comes_after_a_stage()
    {
        _tool.Write("study.yaml", Stages);
        Run();

        var from = _tool.Run("run", "study.yaml", "--json", "--from", "squares");
        var force = _tool.Run("run", "study.yaml", "--json", "--force");

        Assert.Equal((0, 2, 1), (from.Count("rows", "executed"), from.Count("squares", "executed"), from.Count("total", "executed")));
        Assert.Equal(4, force.Executed);
        Assert.Equal(6, _tool.Journal("square"));
        Assert.Contains("SCAL1076", _tool.Run("run", "study.yaml", "--from", "circles").Error);
        Assert.Equal(0, Run().Executed);
    }

    [Fact]
    public void What_is_executed_again_replaces_what_it_gave_before_in_tables_too()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "random", count: 2 } }
              batch: { uses: batch, needs: rows }

            """);
        Run();
        string first = File.ReadAllText(_tool.Folder["results/study/batch/batch.csv"]);

        Assert.Equal(0, _tool.Run("run", "study.yaml", "--from", "batch").ExitCode);
        string second = File.ReadAllText(_tool.Folder["results/study/batch/batch.csv"]);

        Assert.NotEqual(first, second);
        Run();
        Assert.Equal(second, File.ReadAllText(_tool.Folder["results/study/batch/batch.csv"]));
    }

    [Fact]
    public async Task Verify_repeats_actions_and_compares_as_their_stage_declares()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "random,steady", count: 2 } }
              exact: { uses: square, needs: rows }
              noisy: { uses: batch, needs: rows }
              words: { uses: shared, needs: rows }
              liar: { uses: misbehave, with: { how: random } }

            """);
        Run();
        var verify = _tool.Run("verify", "study.yaml", "--replay", "100");
        var json = _tool.Run("verify", "study.yaml", "--replay", "100", "--json");
        var some = _tool.Run("verify", "study.yaml", "--replay", "2", "--seed", "5");

        Assert.True(verify.ExitCode == 4 && json.ExitCode == 4, verify.Error + json.Error);
        Assert.Equal(8, JsonNode.Parse(json.Output)!["replays"]!.AsArray().Count);
        Assert.Equal(2, some.Output.Split('\n').Count(line => line.Contains("same bytes", StringComparison.Ordinal) || line.Contains("as declared", StringComparison.Ordinal) || line.Contains("differs", StringComparison.Ordinal)));
        await Snapshot.Match(Regex.Replace(_tool.Portable($"{verify.Output}\n{verify.Error}"), @"numbers up to \S+ % apart", "numbers up to SOME % apart"));
        Assert.Equal(0, Run().Executed);
    }

    [Fact]
    public void Verify_without_replay_says_what_is_there()
    {
        _tool.Write("study.yaml", Stages);
        string before = _tool.Run("verify", "study.yaml").Output;
        Run();

        Assert.Contains("1 action is whole in the store; 2 are not there, and 1 stage after them", before);
        Assert.Contains("4 actions are whole in the store.", _tool.Run("verify", "study.yaml").Output);
        Assert.Contains("SCAL1075", _tool.Run("verify", "study.yaml", "--replay", "-1").Error);
    }

    [Fact]
    public void Verify_finds_a_row_that_is_damaged_behind_the_table_of_its_stage()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        string row = Directory.EnumerateFiles(_tool.Folder["store/entries"], "*", SearchOption.AllDirectories).First(f => File.ReadAllText(f).Contains("\"point\":\"p1.1\",\"entries\"", StringComparison.Ordinal));
        File.Delete(row);

        var verify = _tool.Run("verify", "study.yaml", "--replay", "9");

        Assert.Equal(4, verify.ExitCode);
        Assert.Contains("SCAL3032", verify.Error);
        Assert.Contains("squares@p1.1", verify.Error);
        Assert.Contains("3 actions are whole in the store.", verify.Output);
    }

    private Ended Run()
    {
        var run = _tool.Run("run", "study.yaml", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    private string Scrubbed(string text)
    {
        text = _tool.Portable(text);
        text = Regex.Replace(text, @"\d+\.\d s\b", "TIME");
        text = Regex.Replace(text, "\\b[0-9a-f]{12}\\b", "KEY");
        text = Regex.Replace(text, "\\b[0-9a-f]{64}\\b", "LONG-KEY");
        text = Regex.Replace(text, "\"(ended|seconds)\": .*?(,?)\n", "\"$1\": TIME$2\n");
        return Regex.Replace(text, @"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE");
    }
}
