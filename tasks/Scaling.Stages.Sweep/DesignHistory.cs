// What earlier rounds of a design listed, and what came of it.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>A run that a design has listed.</summary>
/// <param name="Round">From 1.</param>
/// <param name="Candidate">Its index.</param>
/// <param name="Seed">From 1.</param>
internal sealed record ListedRun(int Round, int Candidate, int Seed);

/// <summary>The rounds before.</summary>
/// <param name="Listed">Runs of all of them, in the order in which they were listed.</param>
/// <param name="Results">Losses of those that have one, in the same order. Runs without have failed: they are paid, and tell nothing.</param>
/// <param name="Rounds">Lines of rounds.csv, one a round.</param>
internal sealed record DesignHistory(IReadOnlyList<ListedRun> Listed, IReadOnlyList<StudyResult> Results, IReadOnlyList<string[]> Rounds)
{
    /// <summary>The round that is to be listed, from 1.</summary>
    public int Round => Listed.Select(r => r.Round).DefaultIfEmpty().Max() + 1;

    /// <summary>Runs without a result.</summary>
    public int Failed => Listed.Count - Results.Count;

    /// <summary>Those runs. Default: none.</summary>
    public IReadOnlyList<ListedRun> Lost { get; init; } = [];

    /// <summary>What the stage's own tables and the runs tell.</summary>
    /// <param name="context">Its roles are not bound in the first round.</param>
    /// <param name="candidates">Of the design.</param>
    /// <exception cref="StageFailedException">SCAL7422: the runs are of another number of tokens; SCAL7423: a listed shape is no candidate; SCAL3101 to SCAL3103: a table lacks something.</exception>
    public static DesignHistory Of(StageContext<SweepSettings> context, IReadOnlyList<DesignCandidate> candidates)
    {
        if (context.Inputs("design").Count == 0)
        {
            return new DesignHistory([], [], []);
        }

        var index = candidates.Select((c, i) => (Key: (c.Shape.Id, c.Share), i)).ToDictionary(c => c.Key, c => c.i);
        ListedRun[] listed = [.. context.InputTable("design").Each().Select(row => new ListedRun(
            row.Count("round"),
            index.TryGetValue((row.Text("shape"), row.Number("tokens_share")), out int candidate) ? candidate : throw NoCandidate(row.Text("shape"), row.Number("tokens_share")),
            row.Count("seed")))];
        var losses = context.Inputs("runs").Count > 0 ? Losses(context, listed.ToDictionary(l => (candidates[l.Candidate].Shape.Id, l.Seed), l => candidates[l.Candidate].Share)) : [];
        StudyResult[] results = [.. from run in listed
                                    let candidate = candidates[run.Candidate]
                                    where losses.ContainsKey((candidate.Shape.Id, run.Seed))
                                    select new StudyResult(candidate.Point, losses[(candidate.Shape.Id, run.Seed)])];
        int round = listed.Select(r => r.Round).DefaultIfEmpty().Max() + 1;
        string[][] rounds = context.Inputs("rounds").Count == 0 ? []
            : [.. context.InputTable("rounds").Each().Where(row => row.Count("round") < round).Select(row => SweepTables.Rounds.Select(c => row.Text(c.Name)).ToArray())];
        return new DesignHistory(listed, results, rounds) { Lost = [.. listed.Where(run => !losses.ContainsKey((candidates[run.Candidate].Shape.Id, run.Seed)))] };
    }

    /// <summary>Losses of listed runs at their share of the design's number of tokens, their schedule ended, at the rule's own learning rate.</summary>
    private static Dictionary<(string Shape, int Seed), double> Losses(StageContext<SweepSettings> context, Dictionary<(string Shape, int Seed), double> listed)
    {
        var table = context.InputTable("runs");
        double asked = context.Settings.Design!.TokensPerParameter;
        var losses = new Dictionary<(string, int), double>();
        var others = new SortedSet<double>();
        HashSet<(string Shape, int Seed)> asAsked = [], lengthened = [];
        bool trained = false; // For as many tokens as was asked, with a loss or, where it diverged, without.
        foreach (var row in table.Each())
        {
            var run = (row.Text("shape"), row.Count("seed"));
            if (!listed.TryGetValue(run, out double share) || (table.Has("learning_rate_factor") && row.Number("learning_rate_factor") != 1))
            {
                continue;
            }

            double tokens = row.Number("tokens_per_parameter");
            bool counts = Is(tokens, share * asked), ended = !table.Has("annealed") || row.Truth("annealed"), hasLoss = row.Text("loss").Length > 0;
            if (counts)
            {
                asAsked.Add(run);
            }
            else if (Is(tokens, asked))
            {
                lengthened.Add(run);
            }

            trained |= counts && (ended || !hasLoss);
            if (!ended || !hasLoss || !(row.Number("loss") is > 0 and < 1e6 and var loss))
            {
                continue;
            }

            if (counts)
            {
                losses.TryAdd(run, loss);
            }
            else if (share == 1)
            {
                others.Add(tokens);
            }
        }

        return lengthened.Except(asAsked).Select(run => ((string Shape, int Seed)?)run).FirstOrDefault() is { } whole ? throw NoShortRun(whole.Shape, listed[whole], asked)
            : trained || others.Count == 0 ? losses
            : throw new StageFailedException(
                "SCAL7422", FormattableString.Invariant($"The runs have {string.Join(", ", others)} tokens a parameter, and 'design.tokens_per_parameter' is {asked}: none of them is a result of this design."),
                "Write the same number there and in the stage that trains.");
    }

    private static bool Is(double tokens, double asked) => Math.Abs(tokens / asked - 1) <= 1e-6;

    private static StageFailedException NoShortRun(string shape, double share, double asked) => new(
        "SCAL7422", FormattableString.Invariant($"The design lists a run of {shape} for {share:0.###} of the tokens, and it was trained for all of them, {asked} a parameter: what trains does not go by 'tokens_share'."),
        "Leave 'design.short_runs' out, or let the stage that trains go by that column of shapes.csv, as 'train' does.");

    private static StageFailedException NoCandidate(string shape, double share) => new(
        "SCAL7423", FormattableString.Invariant($"The design of the round before lists the shape {shape}{(share == 1 ? "" : $" for {share:0.###} of the tokens")}, which is no candidate of this grid."), "Bind the stage's own outputs alone: 'feedback:' does so.");
}
