// why: what changed since an earlier run, which past entry is nearest, and what it costs to compute again.
using System.Globalization;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Cli;

internal static class WhyCommand
{
    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        string[] target = call.Target.Split('@', 2);
        if (pipeline.Stages.All(s => s.Id != target[0]))
        {
            throw UsageException.NoStage("SCAL1004", target[0], pipeline.Stages.Select(s => s.Id));
        }

        var history = new RunHistory(session.Store, pipeline.Path);
        var against = call.Against is { } named ? Demand(history, named) : history.Last;
        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(call.Stop).ConfigureAwait(false);
        var why = new Why(
            ahead.First(a => a.Stage.Id == target[0]), against, call.Against is not null,
            new Explainer(session.Store, against, pipeline) { Called = call.Against is null ? "the last run" : $"run {against!.Number}" }, new PastEntries(session.Store, history), session.Store);
        var actions = target is [_, var point] ? why.Rows(point) : null;
        if (call.Json)
        {
            JsonText.Print("scaling.why/1", pipeline, why.ToJson(actions));
        }
        else
        {
            why.ToText(actions).ForEach(Console.Out.WriteLine);
        }

        return ExitCode.Done;
    });

    private static RunRecord Demand(RunHistory history, string named)
    {
        if (history.Find(named) is { } run)
        {
            return run;
        }

        string kept = history.Numbers is [var last, ..] and [.., var first] ? $"Runs {first} to {last} are kept." : "This pipeline has not run here before.";
        throw new UsageException("SCAL1073", $"There is no run '{named}'. {kept}", "Name a run by its number, or as last, last~1, last~2 and so on.");
    }

    /// <summary>One answer.</summary>
    private sealed record Why(StageAhead Stage, RunRecord? Against, bool IsChosen, Explainer Explainer, PastEntries Past, ContentStore Store)
    {
        private readonly HashSet<string> _missing = [.. Stage.Missing.Select(m => m.Key)];
        private readonly Dictionary<string, string> _recorded = Explainer.Recorded(Stage.Stage)?.Actions.ToDictionary(a => a.Point ?? "", a => a.Key) ?? [];

        private readonly HashSet<string> _recordedKeys = [.. Explainer.Recorded(Stage.Stage)?.Actions.Select(a => a.Key) ?? []];

        private bool IsMissing(ActionSpec action) => _missing.Contains(action.Key);

        /// <summary>The rows whose names begin so.</summary>
        public ActionSpec[] Rows(string point)
        {
            var rows = RowNames.Find(Stage.Plan?.Actions ?? [], a => a.Point, point);
            return Stage.Plan is { } plan && rows.Length == 0
                ? throw RowNames.NoRow(Stage.Stage.Id, point, plan.Actions.Select(a => a.Point))
                : rows;
        }

        public List<string> ToText(IReadOnlyList<ActionSpec>? rows)
        {
            var lines = new List<string>();
            if (IsChosen)
            {
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"Compared with run {Against!.Number}, which ended {Against.Ended:yyyy-MM-dd HH:mm:ss} UTC:"));
            }

            if (rows is null || Stage.Plan is null)
            {
                lines.Add($"{Stage.Stage.Id} ({Stage.Stage.Declaration.Type}): {Stage.InWords()}");
                lines.AddRange(rows is null ? OfStage().Select(line => "  " + line) : []);
                return lines;
            }

            foreach (var row in rows)
            {
                lines.Add($"{Stage.Stage.Id}@{row.Point} {row.Key[..12]}: {string.Join("; ", Reasons(row))}");
                lines.AddRange(Nearest(row).Select(line => "  " + line));
            }

            return lines;
        }

        private string[] Reasons(ActionSpec row)
        {
            string[] cached = IsMissing(row) ? [] : [Store.IsElsewhere(row.Key, Stage.Result?.Collection) ? $"nothing to do: {RemoteConsole.Elsewhere}" : "nothing to do, cached"];
            return cached.Length == 0 || IsChosen ? [.. cached, .. Changes(row)] : cached;
        }

        private IReadOnlyList<string> Changes(ActionSpec row) =>
            !IsMissing(row) && _recordedKeys.Contains(row.Key) ? [$"the same as in {Explainer.Called}"] : Explainer.Why(Stage.Plan!, row);

        private IEnumerable<string> OfStage()
        {
            foreach (string reason in Stage.Outlook == StageOutlook.Depends ? [] : Missing())
            {
                yield return reason;
            }

            if (Estimate() is { } estimate)
            {
                yield return estimate.Text;
            }

            if (Stage.Missing is [{ Point: null } only])
            {
                foreach (string line in Nearest(only))
                {
                    yield return line;
                }
            }

            if (Stage.Outlook != StageOutlook.Done || Explainer.Recorded(Stage.Stage) is not { } recorded)
            {
                yield break;
            }

            // Planning has executed an enumerating stage, and another pipeline or run may have executed any.
            var changed = Since(recorded);
            foreach (string line in Under($"Since {(IsChosen ? Explainer.Called : "the last run of this pipeline")}:", changed))
            {
                yield return line;
            }

            foreach (string line in Under($"When {(IsChosen ? "that" : "it last")} ran, that was because:", changed.Count > 0 ? [] : recorded.Reasons))
            {
                yield return line;
            }
        }

        private IReadOnlyList<string> Since(RecordedStage recorded)
        {
            var known = recorded.Actions.Select(a => a.Key).ToHashSet();
            return Explainer.Why(Stage.Plan!, [.. Stage.Plan!.Actions.Where(a => !known.Contains(a.Key))]);
        }

        /// <summary>Why actions are to run, by the run that is compared with.</summary>
        private IReadOnlyList<string> Missing() => Stage.Plan is { } plan && (IsChosen || Stage.Round is null) ? Explainer.Why(plan, Stage.Missing) : Stage.Reasons;

        private ComputeEstimate? Estimate() => Stage.Missing.Count > 0 ? Past.Estimate(Stage.Stage, Stage.Missing) : null;

        private IEnumerable<string> Nearest(ActionSpec row)
        {
            if (IsMissing(row) && Past.Nearest(Stage.Plan!, row, Explainer) is { } near)
            {
                string point = near.Manifest.Point is { } name ? $"@{name}" : "";
                yield return $"nearest past entry: {near.Manifest.Key[..12]}{point} of run {near.Run}, which took {Duration.InWords(near.Manifest.Seconds)}: {string.Join("; ", near.Differences.Select(d => d.Text))}";
            }
        }

        private static IEnumerable<string> Under(string head, IReadOnlyList<string> reasons) => reasons.Count == 0 ? [] : reasons.Select(r => "  " + r).Prepend(head);

        public JsonObject ToJson(IReadOnlyList<ActionSpec>? rows) => new()
        {
            ["stage"] = Stage.Stage.Id,
            ["uses"] = Stage.Stage.Declaration.Type,
            ["outlook"] = Stage.Outlook switch { StageOutlook.Done => "done", StageOutlook.WillRun => "will_run", _ => "depends" },
            ["against"] = Against is null ? null : new JsonObject { ["run"] = Against.Number, ["ended"] = JsonText.Of(Against.Ended) },
            ["round"] = Stage.Round?.Number,
            ["reasons"] = JsonText.Of(Missing()),
            ["since"] = Stage.Outlook == StageOutlook.Done && Explainer.Recorded(Stage.Stage) is { } recorded ? JsonText.Of(Since(recorded)) : null,
            ["estimate"] = Estimate() is { } estimate ? new JsonObject { ["seconds"] = estimate.Seconds, ["basis"] = estimate.Basis } : null,
            ["actions"] = new JsonArray([.. (rows ?? Stage.Plan?.Actions ?? []).Select(row => ToJson(row, withNearest: rows is not null || Stage.Plan!.Actions.Count == 1))]),
        };

        private JsonObject ToJson(ActionSpec row, bool withNearest)
        {
            var near = withNearest && IsMissing(row) ? Past.Nearest(Stage.Plan!, row, Explainer) : null;
            return new JsonObject
            {
                ["point"] = row.Point,
                ["key"] = row.Key,
                ["cached"] = !IsMissing(row),
                ["differences"] = Before(row) is { } old ? Differences(Explainer.Differences(Stage.Plan!, old.Entries, row.Entries)) : null,
                ["nearest"] = near is null ? null : new JsonObject
                {
                    ["key"] = near.Manifest.Key, ["point"] = near.Manifest.Point, ["run"] = near.Run, ["seconds"] = near.Manifest.Seconds, ["differences"] = Differences(near.Differences),
                },
            };
        }

        /// <summary>The row's entry of the run that is compared with; null where that had none, or it is gone.</summary>
        private Manifest? Before(ActionSpec row) => _recorded.TryGetValue(row.Point ?? "", out string? key) ? Store.Read(key) : null;

        private static JsonArray Differences(IEnumerable<Difference> differences) => new([.. differences.Select(d => new JsonObject
        {
            ["kind"] = d.Kind, ["name"] = d.Name, ["was"] = d.Was, ["now"] = d.Now, ["text"] = d.Text,
        })]);
    }
}
