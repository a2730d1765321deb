// Studies that go on from what they found: a stage lists more round by round, until nothing new is listed.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class FeedbackTests : IDisposable
{
    /// <summary>Five letters a row: eight rows are forty, so the third round lists the ninth, and the fourth nothing new.</summary>
    private const string Study = """
          shapes: { uses: guess, feedback: runs, with: { each: 3, until: 40 } }
          runs: { uses: square, needs: shapes }
          total: { uses: collect, needs: runs }

        """;

    /// <summary>Four rounds of three rows, and one in which nothing is new.</summary>
    private const string Slow = """
          shapes: { uses: guess, feedback: runs, with: { each: 3, until: 12, text: "slow,SLOW,Slow" } }
          runs: { uses: misbehave-row, needs: shapes, with: { milliseconds: 100 } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void Rounds_go_on_until_nothing_new_is_listed_and_what_is_below_sees_the_last()
    {
        _tool.Write("study.yaml", Study);

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((4, 9, 1), (_tool.Journal("guess"), _tool.Journal("square"), _tool.Journal("collect")));
        Assert.Equal((1, 4, 0, 4), (run.Count("shapes", "actions"), run.Count("shapes", "executed"), run.Count("shapes", "cached"), run.Count("shapes", "rounds")));
        Assert.Equal((9, 9, 0, 4), (run.Count("runs", "actions"), run.Count("runs", "executed"), run.Count("runs", "cached"), run.Count("runs", "rounds")));
        Assert.Equal("""{"rows":9,"length":45}""", File.ReadAllText(_tool.Folder["results/study/total/total.json"]).Trim());
        Assert.Equal(10, File.ReadAllLines(_tool.Folder["results/study/shapes/echo.csv"]).Length);
    }

    [Fact]
    public void A_second_run_and_one_after_gc_execute_nothing_and_an_empty_store_gives_the_same_keys_and_bytes()
    {
        _tool.Write("study.yaml", Study);
        _tool.Run("run", "study.yaml");
        var (results, entries) = (_tool.Results("study", f => !f.EndsWith("times.csv")), Entries("store"));

        var second = _tool.Run("run", "study.yaml", "--json");
        var gc = _tool.Run("cache", "gc");
        var afterGc = _tool.Run("run", "study.yaml", "--json");
        _tool.Environment["SCALING_CACHE"] = _tool.Folder["another"];
        var anew = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((0, 0, 0, 0), (second.ExitCode, gc.ExitCode, afterGc.ExitCode, anew.ExitCode));
        Assert.Equal((0, 0, 14), (second.Executed, afterGc.Executed, anew.Executed));
        Assert.Equal((1, 9), (second.Count("shapes", "cached"), second.Count("runs", "cached")));
        Assert.Equal(results, _tool.Results("study", f => !f.EndsWith("times.csv")));
        Assert.Equal(entries, Entries("another"));
    }

    [Fact]
    public void Every_stage_on_the_way_back_runs_in_rounds_and_files_of_rows_come_back_too()
    {
        _tool.Write("study.yaml", """
              first: { uses: echo, with: { count: 2 } }
              other: { uses: misbehave-row, needs: shapes }
              shapes: { uses: guess, feedback: [runs, other], with: { each: 2, until: 30 } }
              runs: { uses: square, needs: shapes, with: { factors: [1, 2] } }
              below: { uses: collect, needs: runs }
              beside: { uses: square, needs: first, with: { factors: [3] } }

            """);

        var run = _tool.Run("run", "study.yaml", "--json");

        // A row is 15 with both factors, and 1 as it is done: two rows are 32.
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((2, 4, 2, 2, 0), (run.Count("shapes", "executed"), run.Count("runs", "executed"), run.Count("other", "executed"), run.Count("other", "rounds"), run.Summary["stages"]!.AsArray().Count(s => s!["id"]!.GetValue<string>() is "below" or "beside" && s["rounds"] is not null)));
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
    }

    [Fact]
    public async Task Killed_in_a_round_a_run_goes_on_with_it_and_plan_why_and_status_tell_of_it()
    {
        _tool.Write("study.yaml", Slow);
        var process = _tool.Start("run", "study.yaml", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row.p5") > 0, "the second row of the second round to begin");
        Tool.KillNow(process, workers: true);

        var plan = _tool.Run("plan", "study.yaml");
        var status = _tool.Run("status", "study.yaml");
        var why = _tool.Run("why", "runs", "study.yaml");
        _tool.Run("cache", "gc");
        var run = _tool.Run("run", "study.yaml", "--json");
        var ended = _tool.Run("plan", "study.yaml");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((12, 8, 5), (run.Count("runs", "actions"), run.Count("runs", "executed"), run.Count("runs", "rounds")));
        Assert.Equal(1, _tool.Journal("misbehave-row.p4")); // It was published; the one that was killed begins again.
        Assert.Equal(5, _tool.Journal("guess"));
        await Snapshot.Match(_tool.Scrubbed($"$ plan\n{plan.Output}\n$ status\n{status.Output}\n$ why runs\n{why.Output}\n$ run\n{run.Error}\n$ plan\n{ended.Output}"));
    }

    [Fact]
    public void Interrupted_in_a_round_it_ends_with_130_and_the_next_run_continues()
    {
        _tool.Write("study.yaml", Slow + "  after: { uses: square, needs: shapes }\n");
        var process = _tool.Start("run", "study.yaml", "--json", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row.p5") > 0, "the second row of the second round to begin");
        Tool.Signal(process.Id, "INT");

        var stopped = Tool.End(process);
        int done = stopped.Count("runs", "executed");
        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.Equal((130, 6), (stopped.ExitCode, stopped.Count("runs", "actions")));
        Assert.InRange(done, 3, 5);
        Assert.Equal((0, 0), (stopped.Count("after", "actions"), run.ExitCode)); // What is below takes nothing of a round that is not the last.
        Assert.Equal(12 - done, run.Count("runs", "executed"));
        Assert.Equal(12, run.Count("after", "actions"));
    }

    [Fact]
    public void A_frozen_plan_holds_its_round_and_a_run_of_it_goes_on_with_those_after()
    {
        _tool.Write("study.yaml", Study);
        _tool.Folder.Write("plan.json", _tool.Run("plan", "study.yaml", "--json").Output);
        _tool.Write("study.yaml", "  nothing: { uses: echo }\n");

        var executed = _tool.Run("execute", "plan.json", "runs@p2");
        var run = _tool.Run("run", "--plan", "plan.json", "--json");
        _tool.Write("study.yaml", Study);
        var lost = JsonNode.Parse(File.ReadAllText(_tool.Folder["plan.json"]))!;

        Assert.True(executed.ExitCode + run.ExitCode == 0, executed.Error + run.Error);
        Assert.Equal((8, 9, 4), (run.Count("runs", "executed"), run.Count("runs", "actions"), run.Count("runs", "rounds")));
        Assert.Equal(0, _tool.Run("run", "study.yaml", "--json").Executed);
        Assert.Equal((1, "done", "runs"), (lost["stages"]![0]!["round"]!.GetValue<int>(), lost["stages"]![0]!["outlook"]!.GetValue<string>(), lost["stages"]![0]!["feedback"]![0]!["stage"]!.GetValue<string>()));
    }

    [Fact]
    public void What_a_frozen_plan_does_not_have_of_its_round_is_not_begun()
    {
        _tool.Write("study.yaml", Study);
        _tool.Run("run", "study.yaml");
        _tool.Folder.Write("plan.json", _tool.Run("plan", "study.yaml", "--json").Output);
        _tool.Environment["SCALING_CACHE"] = _tool.Folder["another"];

        var run = _tool.Run("run", "--plan", "plan.json");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("SCAL3023", run.Error);
    }

    [Fact]
    public void A_row_that_failed_is_not_tried_again_in_later_rounds_of_a_run_and_is_tried_in_the_next()
    {
        _tool.Write("study.yaml", Slow.Replace("SLOW", "fail"));

        var usual = _tool.Run("run", "study.yaml", "--json");
        Assert.False(Directory.Exists(_tool.Folder["results/study/shapes"])); // Its circle has not ended.
        var going = _tool.Run("run", "study.yaml", "--json", "--keep-going");

        Assert.Equal((1, 3, 1, 1), (usual.ExitCode, usual.Count("runs", "actions"), usual.Count("runs", "failed"), usual.Count("runs", "rounds")));
        Assert.Equal((1, 18, 6, 7), (going.ExitCode, going.Count("runs", "actions"), going.Count("runs", "failed"), going.Count("runs", "rounds")));
        Assert.Equal(2, _tool.Journal("misbehave-row.p2"));
        Assert.Equal(1, _tool.Journal("misbehave-row.p5"));
        Assert.Equal(1 + 6, File.ReadAllLines(_tool.Folder["results/study/runs/failed.csv"]).Length);
        Assert.Equal(1 + 12, File.ReadAllLines(_tool.Folder["results/study/runs/rows.csv"]).Length);
    }

    [Fact]
    public void Forced_each_action_is_executed_once()
    {
        _tool.Write("study.yaml", Study);
        _tool.Run("run", "study.yaml");

        var forced = _tool.Run("run", "study.yaml", "--json", "--force");
        var from = _tool.Run("run", "study.yaml", "--json", "--from", "runs");

        Assert.Equal((4, 9, 0), (forced.Count("shapes", "executed"), forced.Count("runs", "executed"), forced.Count("runs", "cached")));
        Assert.Equal((0, 9, 1), (from.Count("shapes", "executed"), from.Count("runs", "executed"), from.Count("total", "executed")));
        Assert.Equal(3 * 9, _tool.Journal("square"));
    }

    [Fact]
    public void A_setting_of_rounds_where_nothing_comes_back_is_warned_of_at_its_place()
    {
        const string Shapes = """
              shapes:
                uses: sweep
                with:
                  { sizes: [10k], layers: 2, head_size: 8, multiple_of: 4, x: [0.12, 0.2, 0.34], ratio: 1.5, gqa: 2,
                    design: { target: 80k, budget: { flops: 1e11 }, round: 4 } }

            """;
        const string Runs = "  runs: { uses: train, needs: shapes }\n";
        const string Said = "warning SCAL3038: 'design.round' is for rounds, and nothing comes back to 'shapes': it lists a first round, and no other follows. ";
        _tool.Folder.Write("study.yaml", "stages:\n" + Shapes + Runs);

        var (check, answer, plan) = (_tool.Run("check", "study.yaml"), _tool.Run("check", "study.yaml", "--json"), _tool.Run("plan", "study.yaml"));
        _tool.Folder.Write("alone.yaml", "stages:\n" + Shapes);
        var run = _tool.Run("run", "alone.yaml");
        _tool.Folder.Write("circle.yaml", ("stages:\n" + Shapes + Runs).Replace("uses: sweep\n", "uses: sweep\n    feedback: runs\n"));
        _tool.Folder.Write("whole.yaml", ("stages:\n" + Shapes + Runs).Replace(", round: 4", ""));

        Assert.Equal((0, 0, 0, 0), (check.ExitCode, answer.ExitCode, plan.ExitCode, run.ExitCode));
        Assert.Contains($"study.yaml(6,64): {Said}Write 'feedback: runs'", check.Error);
        Assert.EndsWith("2 stages, 1 warning.\n", check.Output);
        Assert.Equal(("SCAL3038", "warning"), ((string?)JsonNode.Parse(answer.Output)!["findings"]![0]!["code"], (string?)JsonNode.Parse(answer.Output)!["findings"]![0]!["severity"]));
        Assert.Contains(Said, plan.Error);
        Assert.Contains($"{Said}Add 'feedback:' with a stage that gives runs and needs 'shapes'", run.Error);
        Assert.EndsWith("no findings.\n", _tool.Run("check", "circle.yaml").Output);
        Assert.EndsWith("no findings.\n", _tool.Run("check", "whole.yaml").Output);
    }

    [Fact]
    public void Rounds_that_come_back_to_where_they_were_end_with_a_diagnostic()
    {
        _tool.Write("study.yaml", Study.Replace("until: 40", "until: 40, forgets: true"));

        var run = _tool.Run("run", "study.yaml", "--json");
        var plan = _tool.Run("plan", "study.yaml");

        Assert.Equal((1, 6, 0), (run.ExitCode, run.Count("runs", "executed"), run.Count("total", "actions")));
        Assert.Contains("study.yaml(4,3): error SCAL3036: The circle of feedback shapes → runs does not end: 'shapes' (guess) lists in round 3 what it listed in round 1", run.Error);
        Assert.Equal(1, plan.ExitCode);
        Assert.Contains("SCAL3036", plan.Error);
    }

    [Fact]
    public void Without_feedback_such_a_stage_has_its_first_round_alone()
    {
        _tool.Write("study.yaml", Study.Replace(" feedback: runs,", ""));

        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((1, 3), (run.Count("shapes", "executed"), run.Count("runs", "executed")));
    }

    [Fact]
    public void Events_tell_of_rounds()
    {
        _tool.Write("study.yaml", Study);

        var events = _tool.Run("run", "study.yaml", "--log-format", "jsonl").Error.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!).ToArray();

        Assert.Equal(["1", "2", "3", "4"], events.Where(e => e["event"]!.GetValue<string>() == "round_started").Select(e => $"{e["round"]}"));
        Assert.Equal(3, events.Count(e => e["event"]!.GetValue<string>() == "stage_ended"));
        Assert.Equal(8, events.Count(e => e["event"]!.GetValue<string>() == "stage_planned" && e["stage"]!.GetValue<string>() != "total"));
    }

    [Fact]
    public void A_CI_system_folds_each_round_and_shows_it_when_it_comes()
    {
        _tool.Write("study.yaml", Study);
        _tool.Environment["GITHUB_ACTIONS"] = "true";

        string[] lines = [.. _tool.Run("run", "study.yaml").Error.Split('\n').Where(l => l.StartsWith("::", StringComparison.Ordinal))];

        Assert.Equal(4 + 3 + 1, lines.Count(l => l == "::endgroup::"));
        Assert.Equal(["shapes", "runs", "shapes", "runs", "shapes", "runs", "shapes", "total"], lines.Where(l => l != "::endgroup::").Select(l => l["::group::".Length..].Split(' ')[0]));
        Assert.All(lines.Where((_, i) => i % 2 == 1), l => Assert.Equal("::endgroup::", l));
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Rounds_that_one_machine_has_had_another_brings()
    {
        using var server = new NginxServer();
        using var other = new Tool();
        _tool.Write("study.yaml", Study);
        other.Write("study.yaml", Study);

        var first = _tool.Run("run", "study.yaml", "--json", "--remote", server.Address, "--rights", "local:rw,remote:rw");
        var pull = other.Run("cache", "pull", "study.yaml", "--remote", server.Address, "--rights", "local:rw,remote:r");
        var second = other.Run("run", "study.yaml", "--json");

        Assert.True(first.ExitCode + pull.ExitCode + second.ExitCode == 0, first.Error + pull.Error + second.Error);
        Assert.Contains("nothing is left to run", pull.Output);
        Assert.Equal((14, 0), (first.Executed, second.Executed));
    }

    [Fact]
    public void A_graph_and_a_lock_know_what_comes_back()
    {
        _tool.Write("study.yaml", Study);
        _tool.Run("run", "study.yaml");

        var graph = _tool.Run("graph", "study.yaml");
        var whole = _tool.Run("restore", "study.yaml", "--verify");
        _tool.Write("study.yaml", Study.Replace(" feedback: runs,", ""));
        var stale = _tool.Run("restore", "study.yaml", "--verify");

        Assert.Contains("  runs -.->|squares| shapes\n", graph.Output);
        Assert.Equal((0, 4), (whole.ExitCode, stale.ExitCode));
        Assert.Contains("its input 'squares' has other content", stale.Error);
    }

    [Theory]
    [InlineData("no-feedback-type", "  shapes: { uses: echo, feedback: runs }\n  runs: { uses: square, needs: shapes }\n")]
    [InlineData("no-such-kind", "  shapes: { uses: guess, feedback: [runs, total] }\n  runs: { uses: square, needs: shapes }\n  total: { uses: collect, needs: runs }\n")]
    [InlineData("two-for-one", "  shapes: { uses: guess, feedback: [runs, more] }\n  runs: { uses: square, needs: shapes }\n  more: { uses: square, needs: shapes, with: { suffix: a } }\n")]
    [InlineData("in-needs", "  first: { uses: echo }\n  shapes: { uses: guess, needs: { before: first } }\n")]
    [InlineData("two-circles", "  shapes: { uses: guess, feedback: runs }\n  inner: { uses: guess, needs: shapes, feedback: runs }\n  runs: { uses: square, needs: inner }\n")]
    [InlineData("circles-that-wait", "  la: { uses: guess, feedback: [a, a3] }\n  a2: { uses: guess, needs: la }\n  a3: { uses: square, needs: a2 }\n  a: { uses: guess, needs: [la, b2] }\n  lb: { uses: guess, feedback: [b, b3] }\n  b2: { uses: guess, needs: lb }\n  b3: { uses: square, needs: b2 }\n  b: { uses: guess, needs: [lb, a2] }\n")]
    public async Task Feedback_that_cannot_be_is_refused_with_its_place(string mistake, string stages)
    {
        _tool.Write("study.yaml", stages);

        var check = _tool.Run("check", "study.yaml");

        Assert.Equal(3, check.ExitCode);
        await Snapshot.Match(_tool.Portable(check.Error), mistake);
    }

    private string[] Entries(string store) => [.. Directory.EnumerateFiles(_tool.Folder[$"{store}/entries"], "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
}
