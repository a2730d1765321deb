// A run as a program reads it: every change of state is one JSON object a line. EVENTS.md says which.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Plugins;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Writes events.</summary>
/// <param name="writer">Takes the lines.</param>
/// <param name="time">Their times.</param>
internal sealed class RunEvents(TextWriter writer, TimeProvider time) : ICommandConsole, IPackageObserver, IRemoteObserver
{
    public const string Schema = "scaling.events/1";

    /// <summary>Progress of one action, or one package, comes this often at most.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _writing = new();
    private readonly Dictionary<string, long> _lastProgress = [];
    private readonly HashSet<string> _running = [];
    private bool _begun;
    private bool _ended;

    public IPackageObserver Packages => this;

    public IRemoteObserver Remotes => this;

    public void Begin(RunStart run) => Write("run_started", new JsonObject
    {
        ["pipeline"] = run.Pipeline, ["path"] = run.Path, ["version"] = Session.ToolVersion, ["jobs"] = run.Jobs, ["store"] = run.Store, ["results_folder"] = run.ResultsFolder,
    });

    public void Round(FeedbackCircle circle, int round) => Write("round_started", new JsonObject { ["stage"] = circle.Lister, ["round"] = round, ["stages"] = JsonText.Of(circle.Members) });

    public void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons) => Write("stage_planned", About(stage, null, new JsonObject
    {
        ["uses"] = stage.Declaration.Type, ["actions"] = actions, ["cached"] = cached, ["reasons"] = JsonText.Of(reasons),
    }));

    public void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages) =>
        Write("stage_fetching", About(stage, null, new JsonObject { ["packages"] = JsonText.Of(packages.Select(p => $"{p}")) }));

    public void Preparing(StageNode stage) => Write("stage_preparing", About(stage, null, []));

    public void Prepared(StageNode stage, bool executed, double seconds) => Write("stage_prepared", About(stage, null, Outcome(executed, seconds)));

    public void Started(StageNode stage, string? point, string key)
    {
        lock (_writing)
        {
            _running.Add(key);
            Write("action_started", About(stage, point, new JsonObject { ["key"] = key }));
        }
    }

    public void Progressed(StageNode stage, string? point, StageProgress progress)
    {
        bool shared = point is null && stage.Declaration.FanOut is not null;
        Now($"{stage.Id}@{point}", shared ? "prepare_progressed" : "action_progressed", () => About(stage, point, new JsonObject
        {
            ["done"] = Rounded(progress.Done), ["total"] = progress.Total > 0 ? Rounded(progress.Total) : null, ["unit"] = progress.Unit, ["news"] = progress.News,
        }));
    }

    public void Waiting(StageNode stage, string? point, string reason) => Write("action_waiting", About(stage, point, new JsonObject { ["reason"] = reason }));

    public void Queued(StageNode stage, string news) => Write("stage_queued", About(stage, null, new JsonObject { ["text"] = news }));

    public void Done(StageNode stage, string? point, string key, bool executed, double seconds)
    {
        lock (_writing)
        {
            _running.Remove(key);
            var done = Outcome(executed, seconds);
            done["key"] = key;
            Write("action_done", About(stage, point, done));
        }
    }

    public void Stopped(StageNode stage, string? point, string key)
    {
        lock (_writing)
        {
            if (_running.Remove(key)) // What was not begun did not change.
            {
                Write("action_stopped", About(stage, point, new JsonObject { ["key"] = key }));
            }
        }
    }

    public void Failed(StageNode stage, Failure failure)
    {
        var findings = failure.Findings.Select(f => f.Location is null ? f with { Location = stage.Location } : f);
        var members = new JsonObject { ["key"] = failure.Key, ["findings"] = JsonText.Of(findings), ["log"] = failure.Log };
        lock (_writing)
        {
            _running.Remove(failure.Key ?? "");
            Write(failure.Key is null ? "stage_failed" : "action_failed", About(stage, failure.Point, members));
        }
    }

    public void Warned(StageNode stage, string? point, Diagnostic warning) =>
        Write("finding", About(stage, point, JsonText.Of(warning with { Location = warning.Location ?? stage.Location })));

    public void FoundDamage(Diagnostic finding) => Write("damage_found", JsonText.Of(finding));

    public void Found(Diagnostic finding) => Write("finding", JsonText.Of(finding));

    public void Ended(StageOutcome outcome) => Write("stage_ended", new JsonObject
    {
        ["stage"] = outcome.Id, ["uses"] = outcome.Uses, ["actions"] = outcome.Actions, ["executed"] = outcome.Executed, ["cached"] = outcome.Cached,
        ["failed"] = outcome.Failures.Count, ["rounds"] = outcome.Rounds > 0 ? outcome.Rounds : null, ["seconds"] = Rounded(outcome.Seconds), ["not_done"] = outcome.NotDone,
    });

    public void Conclude(RunEnd end)
    {
        lock (_writing)
        {
            Write("run_ended", Conclusion(end.Summary, end.ExitCode, end.Seconds));
            _ended = true;
        }
    }

    private static JsonObject Conclusion(RunSummary? summary, int exitCode, double seconds) => new()
    {
        ["exit_code"] = exitCode,
        ["executed"] = summary?.Stages.Sum(s => s.Executed) ?? 0,
        ["cached"] = summary?.Stages.Sum(s => s.Cached) ?? 0,
        ["failed"] = summary?.Stages.Sum(s => s.Failures.Count) ?? 0,
        ["seconds"] = Rounded(seconds),
        ["results_folder"] = summary?.ResultsFolder,
    };

    public void Say(string text) => Write("message", new JsonObject { ["text"] = text });

    /// <summary>What moves has events of its own, or is said again when it has ended.</summary>
    public void Moving(string text)
    {
    }

    public void Stopping() => Write("stopping", []);

    public void Moved(Transfer transfer) => Now(transfer.Incoming ? "from remote" : "to remote", "transfer_progressed", () => new JsonObject
    {
        ["incoming"] = transfer.Incoming, ["entries"] = transfer.Entries, ["of_entries"] = transfer.OfEntries, ["done"] = transfer.Bytes, ["total"] = transfer.OfBytes, ["unit"] = "bytes", ["seconds"] = Rounded(transfer.Seconds),
    });

    public void Missing(IReadOnlyList<MissingPackage> packages) => Write("packages_missing", new JsonObject
    {
        ["packages"] = new JsonArray([.. packages.Select(p => JsonText.WithoutNulls(new JsonObject { ["package"] = $"{p}", ["source"] = p.Source, ["bytes"] = p.Bytes, ["bytes_here"] = p.BytesHere }))]),
    });

    public void Progress(MissingPackage package, long done, long? total) =>
        Now($"{package}", "package_progressed", () => new JsonObject { ["package"] = $"{package}", ["done"] = done, ["total"] = total ?? package.Bytes, ["unit"] = "bytes" });

    public void Installed(InstalledPackage package) => Write("package_installed", new JsonObject { ["package"] = $"{package}", ["source"] = package.Source });

    public void Warned(Diagnostic warning) => Found(warning);

    private static JsonObject About(StageNode stage, string? point, JsonObject members)
    {
        members.Insert(0, "stage", stage.Id);
        members.Insert(1, "point", point);
        return members;
    }

    private static JsonObject Outcome(bool executed, double seconds) => new() { ["outcome"] = executed ? "executed" : "cached", ["seconds"] = Rounded(seconds) };

    private static double Rounded(double number) => Math.Round(number, 3);

    private void Now(string what, string name, Func<JsonObject> members)
    {
        lock (_writing)
        {
            if (!_lastProgress.TryGetValue(what, out long last) || time.GetElapsedTime(last) >= ProgressInterval)
            {
                _lastProgress[what] = time.GetTimestamp();
                Write(name, members());
            }
        }
    }

    private void Write(string name, JsonObject members)
    {
        lock (_writing)
        {
            if (_ended)
            {
                return; // Its end is the last that is told of a run, though it be interrupted while others still work.
            }

            members.Insert(0, "event", name);
            members.Insert(1, "time", JsonText.Of(time.GetUtcNow()));
            writer.WriteLine(_begun ? JsonText.Line(members) : JsonText.Line(Schema, members));
            _begun = true;
        }
    }
}
