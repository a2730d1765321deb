// status, logs, show, report: what became of a pipeline, told without executing anything; and every answer for programs.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class LookingTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,grumble", count: 2 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }
          shared: { uses: shared, needs: rows, with: { word: w } }
          told: { uses: tell, with: { text: "# What came of it" } }

        """;

    private const string Slow = """
          rows: { uses: echo, with: { text: "grumble" } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 60000 } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task People_are_told_what_became_of_a_run()
    {
        _tool.Write("study.yaml", Stages);
        string before = Told("status", "study.yaml");
        Assert.Equal(1, _tool.Run("run", "study.yaml", "--jobs", "1").ExitCode);
        int executed = Directory.GetFiles(_tool.Folder["journal"]).Length;
        string after = string.Concat(
            Told("status", "study.yaml"), Told("logs", "work", "study.yaml"), Told("logs", "work@p2", "study.yaml"), Told("show", "rows", "study.yaml"), Told("show", "shared", "study.yaml"), Told("show", "shared@p1", "study.yaml"),
            Told("show", "rows", "study.yaml", "--file", "echo.csv"), Told("report", "study.yaml"));
        _tool.Write("study.yaml", Stages.Replace("word: w", "word: v").Replace("count: 2", "count: 3"));
        string changed = Told("status", "study.yaml") + Told("logs", "work@p2", "study.yaml") + Told("show", "rows", "study.yaml", "--file", "echo.csv");

        Assert.Equal(executed, Directory.GetFiles(_tool.Folder["journal"]).Length);
        await Snapshot.Match(_tool.Scrubbed($"{before}{after}# the pipeline was changed\n{changed}"));
    }

    [Fact]
    public async Task Programs_are_told_the_same()
    {
        _tool.Write("study.yaml", Stages);
        _tool.Write("wrong.yaml", Stages.Replace("count", "cont").Replace("tell", "tel"));
        string answers = string.Concat(
            Told("run", "study.yaml", "--json", "--jobs", "1"), Told("check", "study.yaml", "--json"), Told("check", "wrong.yaml", "--json"), Told("graph", "study.yaml", "--format", "json"), Told("status", "study.yaml", "--json"),
            Told("logs", "work", "study.yaml", "--json"), Told("show", "shared@p1", "study.yaml", "--json"), Told("plugin", "list", "study.yaml", "--json"), Told("report", "study.yaml", "--json"), Told("restore", "study.yaml", "--verify", "--json"), Told("status", "wrong.yaml", "--json"));

        await Snapshot.Match(_tool.Scrubbed(answers));
    }

    [Fact]
    public void A_mistake_is_told_with_what_to_do()
    {
        _tool.Write("pipeline.yaml", Stages);
        Refused("SCAL1051", "logs", "work");
        Refused("SCAL1054", "show", "rows");
        Refused("SCAL1056", "report");

        _tool.Run("run");
        Refused("SCAL1004", "logs", "wrok");
        Refused("SCAL1006", "show", "shared@p9");
        Refused("SCAL1052", "logs", "rows");
        Refused("SCAL1053", "logs", "shared", "--follow");
        Refused("SCAL1055", "show", "told", "--file", "raport.md");
        Refused("SCAL1059", "completion", "tcsh");
        Directory.Delete(_tool.Folder["results"], recursive: true);
        Refused("SCAL1058", "report");

        _tool.Write("pipeline.yaml", "  rows: { uses: echo }\n");
        _tool.Run("run");
        Refused("SCAL1057", "report");

        Refused("SCAL1056", "report", "--compare", "pipeline.yaml", "other.yaml");
        Refused("SCAL1067", "report", "--compare", "pipeline.yaml", "pipeline.yaml@9");
        Refused("SCAL1001", "report", "--compare", "pipeline.yaml");
        Refused("SCAL1001", "report", "pipeline.yaml", "--compare", "pipeline.yaml", "pipeline.yaml@1");
    }

    [Fact]
    public async Task Two_studies_are_compared_by_what_they_found_and_by_what_they_were_made_of()
    {
        _tool.Write("a.yaml", Compared("0.9 nats a token", "not identified"));
        _tool.Write("b.yaml", Compared("0.875 nats a token", "1.8 times", "batch=8").Replace("count: 2", "count: 3").Replace("work:", "labour:").Replace("told: {", "more: { uses: square, needs: rows, with: { suffix: \"x|y\" } }\n  told: {"), head: "seed: 7\n");
        Assert.Equal((0, 0), (_tool.Run("run", "a.yaml").ExitCode, _tool.Run("run", "b.yaml").ExitCode));
        Directory.Delete(_tool.Folder["results"], recursive: true); // What is compared is in the store.

        string told = Told("report", "--compare", "a.yaml", "b.yaml") + Told("report", "--compare", "a.yaml", "a.yaml@1") + Told("report", "--compare", "a.yaml", "b.yaml", "--json");

        await Snapshot.Match(_tool.Scrubbed(told));
    }

    [Fact]
    public void A_run_of_one_pipeline_is_compared_with_an_earlier_one()
    {
        _tool.Write("study.yaml", Compared("0.9 nats a token", "1 times"));
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--set", "work.milliseconds=1").ExitCode);

        string told = Told("report", "--compare", "study.yaml@1", "study.yaml");

        Assert.Contains("| `work` | `milliseconds` | `0` | `1` |", told);
        Assert.Contains("| loss | 0.9 | 0.9 | 0.0 | nats a token |", told);
        Assert.Contains("--set work.milliseconds=1", told);
    }

    [Fact]
    public void A_summary_that_is_none_is_warned_of_and_the_run_is_done()
    {
        _tool.Write("study.yaml", Compared("0.9 nats a token", "1 times").Replace("\"it is best\"", "\"{}\""));

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("study.yaml(6,3): warning SCAL1065: The summary.json of 'told' cannot be shown: it is no JSON object", run.Error);
        Assert.Null(run.Summary["summary"]);
        Assert.Contains("No stage of either gave a summary.json", Told("report", "--compare", "study.yaml", "study.yaml"));
    }

    [Fact]
    public async Task A_run_that_is_asked_to_be_verbose_tells_why_in_full_and_of_each_action()
    {
        string stages = "  rows: { uses: echo, with: { text: \"a\", count: 5 } }\n  work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }\n";
        _tool.Write("study.yaml", stages);
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        _tool.Write("study.yaml", stages.Replace("milliseconds: 0", "milliseconds: 1").Replace("count: 5", "count: 6").Replace("\"a\"", "\"a,b\""));

        var run = _tool.Run("run", "study.yaml", "--verbose", "--jobs", "1");

        await Snapshot.Match(System.Text.RegularExpressions.Regex.Replace(_tool.Scrubbed(run.Error), @"(?<=dotnet-scaling |on \.NET )[\d.]+\S*", "VERSION"));
    }

    private static string Compared(string loss, string speed, string more = "x=1") => $$"""
          rows: { uses: echo, with: { text: "a", count: 2 } }
          work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }
          told: { uses: tell, with: { found: ["it is best"], quantities: ["loss={{loss}}", "speed={{speed}}", "{{more}}"] } }

        """;

    /// <summary>Everything that asks for JSON gets one object, whatever was wrong with it.</summary>
    [Theory]
    [InlineData("cache stats --json", "scaling.refused/1", "SCAL1030", 2)]
    [InlineData("cache gc --json --older-than soon", "scaling.refused/1", "SCAL1031", 2)]
    [InlineData("cache verify --json", "scaling.refused/1", "SCAL1030", 2)]
    [InlineData("graph wrong.yaml --format json", "scaling.refused/1", "SCAL2040", 3)]
    [InlineData("status --json=true a.yaml b.yaml", "scaling.refused/1", "SCAL1001", 2)]
    [InlineData("statsu --json", "scaling.refused/1", "SCAL1001", 2)]
    [InlineData("check --json --jobs 3", "scaling.check/1", "SCAL1001", 2)]
    [InlineData("status --json --log-format xml", "scaling.refused/1", "SCAL1050", 2)]
    [InlineData("run --json --jobs many", "scaling.run/1", "SCAL1001", 2)]
    [InlineData("run wrong.yaml --json", "scaling.run/1", "SCAL2040", 3)]
    [InlineData("run --json --log-format xml", "scaling.run/1", "SCAL1050", 2)]
    [InlineData("plan wrong.yaml --json", "scaling.refused/1", "SCAL2040", 3)]
    public void A_program_is_answered_also_by_what_is_refused(string line, string schema, string code, int exit)
    {
        _tool.Write("wrong.yaml", "  rows: { uses: echo, with: { cont: 3 } }\n");

        var ended = _tool.Run(line.Split(' '));

        var answer = JsonNode.Parse(ended.Output)!;
        Assert.Equal((exit, schema, exit), (ended.ExitCode, answer["schema"]!.GetValue<string>(), answer["exit_code"]!.GetValue<int>()));
        Assert.Equal(code, answer["findings"]![0]!["code"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("run --force --from rows", "--force and --from")]
    [InlineData("run --plan plan.json --force", "--plan and --force")]
    [InlineData("run --plan plan.json --from rows", "--plan and --from")]
    [InlineData("run -k --fail-fast", "--keep-going and --fail-fast")]
    [InlineData("plan --json --price h100-sxm", "--json and --price")]
    [InlineData("plugin add some.package --locked", "--locked and 'plugin add'")]
    public void Options_of_which_one_would_be_dropped_are_refused(string line, string both)
    {
        var ended = _tool.Run(line.Split(' '));

        Assert.Equal(2, ended.ExitCode);
        Assert.StartsWith($"error SCAL1001: {both} exclude each other", ended.Error);
    }

    [Theory]
    [InlineData("runn", "There is no command 'runn'. Did you mean 'run'?")]
    [InlineData("cache verfy", "There is no command 'verfy'. Did you mean 'verify'?")]
    [InlineData("run --jobz 3", "'run' has no option '--jobz'. Did you mean '--jobs'?")]
    [InlineData("run --jobz", "'run' has no option '--jobz'. Did you mean '--jobs'?")]
    [InlineData("why --agianst=3 law", "'why' has no option '--agianst'. Did you mean '--against'?")]
    [InlineData("run --jobs x", "Cannot parse argument 'x' for option '--jobs' as a whole number.")]
    public void A_word_that_is_misspelt_is_told_with_the_nearest(string line, string told)
    {
        var ended = _tool.Run(line.Split(' '));

        Assert.Equal(2, ended.ExitCode);
        Assert.StartsWith($"error SCAL1001: {told}", ended.Error);
    }

    [Fact]
    public void Set_holds_for_everything_that_looks_at_a_pipeline()
    {
        _tool.Write("study.yaml", Stages);
        string[] set = ["--set", "rows.text=b", "--set", "work.milliseconds=1"];
        Assert.Equal(0, _tool.Run(["run", "study.yaml", .. set]).ExitCode);

        Assert.StartsWith("6 actions are whole in the store.", _tool.Run(["verify", "study.yaml", .. set]).Output);
        Assert.Equal(0, _tool.Run(["graph", "study.yaml", .. set]).ExitCode);
        Assert.Equal(0, _tool.Run(["restore", "study.yaml", "--into", "there", .. set]).ExitCode);
        Assert.True(File.Exists(_tool.Folder["there/told/report.md"]));
        Assert.Contains("SCAL1071", _tool.Run("cache", "pull", "study.yaml", "--remote", "http://127.0.0.1:1/", "--set", "nothing.here=1").Error);
    }

    [Fact]
    public void Status_tells_how_many_actions_the_last_run_found_and_why_tells_which_failed()
    {
        _tool.Write("study.yaml", Stages);
        Assert.Equal(1, _tool.Run("run", "study.yaml").ExitCode);
        _tool.Write("study.yaml", Stages.Replace("count: 2", "count: 3").Replace("a,grumble", "a,grumble,b"));
        Assert.Equal(1, _tool.Run("run", "study.yaml").ExitCode);

        Assert.Contains("misbehave-row  1 executed, 1 cached, 1 failed, not done", Told("status", "study.yaml"));
        var status = JsonNode.Parse(_tool.Run("status", "study.yaml", "--json").Output)!;
        var shared = status["last_run"]!["stages"]!.AsArray().Single(s => s!["id"]!.GetValue<string>() == "shared")!;
        Assert.Equal((1, 2, 0), (shared["executed"]!.GetValue<int>(), shared["cached"]!.GetValue<int>(), shared["failed"]!.GetValue<int>()));
        Assert.Contains("it failed in the last run with TEST0004", Told("why", "work@p2", "study.yaml"));
    }

    [Fact]
    public void An_interrupted_command_answers_a_program()
    {
        _tool.Write("study.yaml", Slow.Replace("60000", "2000").Replace("grumble", "slow"));
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        var verify = _tool.Start("verify", "study.yaml", "--replay", "2", "--json");
        Tool.Until(() => _tool.Journal("misbehave-row") > 1, "it to be repeated");

        Tool.Signal(verify.Id, "INT");

        var ended = Tool.End(verify);
        var answer = JsonNode.Parse(ended.Output)!;
        Assert.Equal((130, "scaling.refused/1", 130), (ended.ExitCode, answer["schema"]!.GetValue<string>(), answer["exit_code"]!.GetValue<int>()));
    }

    [Fact]
    public void Status_tells_who_runs_what_and_logs_follow_it_until_it_ends()
    {
        _tool.Write("study.yaml", Slow);
        var run = _tool.Start("run", "study.yaml", "--jobs", "1");
        int process = run.Id;
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");

        var status = _tool.Run("status", "study.yaml", "--json");
        string other = _tool.Run("status", "study.yaml", "--set", "work.milliseconds=1").Output;
        var following = _tool.Start("logs", "work@p1", "study.yaml", "--follow");
        string? first = following.StandardOutput.ReadLine();
        Tool.Signal(run.Id, "INT");
        var followed = Tool.End(following);

        Assert.Equal(130, Tool.End(run).ExitCode);
        var running = JsonNode.Parse(status.Output)!["running"]!.AsArray().Single()!;
        Assert.Equal(("work", "p1"), (running["stage"]!.GetValue<string>(), running["point"]!.GetValue<string>()));
        Assert.Contains(Environment.MachineName, running["holder"]!.GetValue<string>());
        Assert.Equal($"process {process} on {Environment.MachineName}", JsonNode.Parse(status.Output)!["runners"]!.AsArray().Single()!.GetValue<string>());
        Assert.StartsWith($"Running, and none of these actions just now: process {process} on ", other); // As it is between two actions.
        Assert.Equal((0, "grumbling", ""), (followed.ExitCode, first, followed.Output));
        Assert.Contains("Nobody runs it now.", _tool.Run("status", "study.yaml").Output);
    }

    [Fact]
    public void A_holder_that_was_killed_runs_nothing()
    {
        _tool.Write("study.yaml", Slow);
        var run = _tool.Start("run", "study.yaml", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        Tool.KillNow(run, workers: true);

        Assert.Contains("Nobody runs it now.", _tool.Run("status", "study.yaml").Output);
    }

    [Fact]
    public void Interrupted_while_it_looks_it_ends_at_once_with_130()
    {
        _tool.Write("study.yaml", Slow);
        var run = _tool.Start("run", "study.yaml", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "the action to begin");
        var following = _tool.Start("logs", "work@p1", "study.yaml", "--follow");
        Assert.Equal("grumbling", following.StandardOutput.ReadLine());

        var since = Stopwatch.StartNew();
        Tool.Signal(following.Id, "INT");
        Assert.Equal((130, ""), (following.WaitForExit(TimeSpan.FromSeconds(20)) ? following.ExitCode : -1, following.StandardError.ReadToEnd()));
        Assert.InRange(since.Elapsed.TotalSeconds, 0, 5);
        following.Dispose();
        Tool.Signal(run.Id, "INT");
        Assert.Equal(130, Tool.End(run).ExitCode);
    }

    [Fact]
    public void A_worker_keeps_what_each_of_its_actions_prints_apart()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "grumble", count: 3 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }

            """);
        _tool.Run("run", "study.yaml", "--jobs", "1");

        Assert.All(new[] { "p1", "p2", "p3" }, point => Assert.Equal("grumbling\n", _tool.Run("logs", $"work@{point}", "study.yaml").Output));
    }

    private void Refused(string code, params string[] line)
    {
        var ended = _tool.Run(line);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains($"error {code}: ", ended.Error);
    }

    private string Told(params string[] line)
    {
        var ended = _tool.Run(line);
        return $"$ dotnet scaling {string.Join(' ', line)}\n{ended.Output.TrimEnd('\n')}\n{(line[0] == "run" || ended.Error.Length == 0 ? "" : $"(standard error) {ended.Error.TrimEnd('\n')}\n")}\n";
    }
}
