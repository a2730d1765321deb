// The events of a run: each change of state is one JSON object a line, and nothing else stands on standard error.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class EventsTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task A_small_run_tells_everything_that_happens()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a,warn,grumble", count: 3 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }
              shared: { uses: shared, needs: rows, with: { word: w } }
              after: { uses: batch, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml", "--log-format", "jsonl", "--jobs", "1");

        // Stages run side by side: what is the same in every run is the order within a stage.
        var events = Events(run.Error).Where(e => Text(e, "event") != "action_progressed");
        var byStage = events.OrderBy(e => Array.IndexOf([null, "rows", "work", "shared", "after"], Text(e, "stage"))).Select(e => e.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        await Snapshot.Match(_tool.Scrubbed(string.Join('\n', byStage)));
    }

    [Fact]
    public void Every_line_is_an_event_and_those_of_an_action_come_in_order()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a,slow,warn,fail,crash", count: 20 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 300 } }
              batch: { uses: batch, needs: rows }
              shared: { uses: shared, needs: rows }

            """);

        var run = _tool.Run("run", "study.yaml", "--log-format", "jsonl", "--json", "--jobs", "3", "--keep-going");

        var events = Events(run.Error);
        Assert.Equal(("scaling.events/1", "run_started"), (Text(events[0], "schema"), Text(events[0], "event")));
        Assert.Equal(("run_ended", run.ExitCode), (Text(events[^1], "event"), events[^1]["exit_code"]!.GetValue<int>()));
        Assert.Equal(run.Executed, events.Count(e => Text(e, "event") == "action_done"));
        Assert.All(events, e => Assert.Matches(Time(), Text(e, "time")));
        Assert.All(events.Zip(events.Skip(1)), pair => Assert.True(string.CompareOrdinal(Text(pair.First, "time"), Text(pair.Second, "time")) <= 0));
        foreach (var action in events.Where(e => e["point"] is not null && Text(e, "event")!.StartsWith("action_", StringComparison.Ordinal)).GroupBy(e => (Text(e, "stage"), Text(e, "point"))))
        {
            string story = string.Join(' ', action.Select(e => Text(e, "event")!["action_".Length..]));
            Assert.Matches("^(waiting )?(started (progressed )*)+(done|failed)$", story); // A row begins again whose batch lost its worker.
            Assert.Single(action.Where(e => e["key"] is not null).Select(e => Text(e, "key")).Distinct());
        }

        foreach (var stage in events.Where(e => e["stage"] is not null).GroupBy(e => Text(e, "stage")))
        {
            Assert.Equal(("stage_planned", "stage_ended"), (Text(stage.First(), "event"), Text(stage.Last(), "event")));
        }
    }

    [Fact]
    public void What_is_refused_is_an_event_too()
    {
        _tool.Write("wrong.yaml", "  rows: { uses: echo, with: { cont: 3 } }\n");

        var refused = Events(_tool.Run("run", "wrong.yaml", "--log-format=jsonl").Error);
        var usage = Events(_tool.Run("--log-format", "jsonl", "run", "wrong.yaml", "--jobs", "many").Error);
        var check = Events(_tool.Run("check", "wrong.yaml", "--log-format", "jsonl").Error);
        var unknown = _tool.Run("run", "wrong.yaml", "--log-format", "json");

        Assert.Equal(["finding", "run_ended"], refused.Select(e => Text(e, "event")));
        Assert.Equal(("SCAL2040", "wrong.yaml", 4, 3), (Text(refused[0], "code"), Text(refused[0], "file"), refused[0]["line"]!.GetValue<int>(), refused[1]["exit_code"]!.GetValue<int>()));
        Assert.Equal([("finding", "SCAL1001"), ("message", null), ("run_ended", null)], usage.Select(e => (Text(e, "event"), Text(e, "code"))));
        Assert.Equal(2, usage[^1]["exit_code"]!.GetValue<int>());
        Assert.Equal("SCAL2040", Text(Assert.Single(check), "code"));
        Assert.Equal((2, "error SCAL1050: --log-format takes text or jsonl, found 'json'. Did you mean 'jsonl'?\n"), (unknown.ExitCode, unknown.Error));
    }

    [Fact]
    public void An_interrupted_run_tells_that_it_stops_and_what_was_stopped()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "slow", count: 3 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 60000 } }

            """);
        var process = _tool.Start("run", "study.yaml", "--log-format", "jsonl", "--jobs", "1");
        Tool.Until(() => _tool.Journal("misbehave-row") > 0, "an action to begin");
        Tool.Signal(process.Id, "INT");

        var ended = Tool.End(process);

        string[] last = [.. Events(ended.Error).Select(e => Text(e, "event")!).Where(e => e != "action_progressed").TakeLast(4)];
        Assert.Equal(["stopping", "action_stopped", "stage_ended", "run_ended"], last);
        Assert.Equal(130, ended.ExitCode);
    }

    [Fact]
    public void Damage_that_is_found_is_an_event()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        string entry = Directory.EnumerateFiles(_tool.Folder["store/entries"], "*", SearchOption.AllDirectories).Single(f => File.ReadAllText(f).Contains("echo.csv"));
        File.WriteAllText(entry, File.ReadAllText(entry).Replace("echo.csv", "echo.cvs"));

        var events = Events(_tool.Run("run", "study.yaml", "--log-format", "jsonl").Error);

        var damage = Assert.Single(events, e => Text(e, "event") == "damage_found");
        Assert.Equal(("SCAL4002", "warning"), (Text(damage, "code"), Text(damage, "severity")));
        Assert.Contains(events, e => Text(e, "event") == "action_done");
    }

    [Fact]
    public void Quiet_says_what_failed_and_what_warns()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a,warn", count: 2 } }
              work: { uses: misbehave-row, needs: rows }

            """);
        var warned = _tool.Run("run", "study.yaml", "--quiet");
        var silent = _tool.Run("run", "study.yaml", "-q");

        Assert.Equal("study.yaml(5,3): warning TEST0003: It warned as asked. Do not mind. (p2)\n", warned.Error);
        Assert.Equal((0, "", ""), (silent.ExitCode, silent.Output, silent.Error));
    }

    private static List<JsonObject> Events(string error) => [.. error.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!.AsObject())];

    private static string? Text(JsonObject e, string member) => e[member]?.GetValue<string>();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Time();
}
