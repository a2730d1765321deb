// Which of the asked consumers take the two shapes, and what the nearest shapes that they take would cost.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>The shape nearest to a pick that a consumer takes.</summary>
/// <param name="Shape">It breaks no rule of the finding's effect, nor any that refuses.</param>
/// <param name="LossDifference">Its loss less the pick's by the law, nats a token, at the search's parameters and tokens; null without a law.</param>
/// <param name="SpeedChange">Its tokens a second over the pick's, less 1, by the search's device and workload.</param>
internal sealed record Neighbour(DecoderShape Shape, double? LossDifference, double SpeedChange);

/// <summary>What a consumer makes of a pick in one respect.</summary>
/// <param name="Pick">One of <see cref="ExportTables.Picks"/>.</param>
/// <param name="Shape">Of the pick.</param>
/// <param name="Consumer">Who takes it or not.</param>
/// <param name="Broken">The rules that it breaks, of one effect; empty: it breaks none.</param>
/// <param name="Nearest">Null where nothing is broken, and where no shape of the size passes.</param>
internal sealed record LintFinding(string Pick, DecoderShape Shape, Consumer Consumer, IReadOnlyList<ConsumerRule> Broken, Neighbour? Nearest);

/// <summary>What the consumers refuse, and apart from it what slows them.</summary>
/// <param name="TensorParallel">Devices that share each layer.</param>
/// <param name="Refusals">One for each pick and consumer.</param>
/// <param name="Slows">Likewise.</param>
internal sealed record Lint(int TensorParallel, IReadOnlyList<LintFinding> Refusals, IReadOnlyList<LintFinding> Slows)
{
    /// <summary>Of a study without a search, which has no shapes to be taken.</summary>
    public static Lint None { get; } = new(1, [], []);

    /// <summary>Holds both picks against the rules of every asked consumer.</summary>
    public static Lint Of(Study study, SearchResult best, ExportSettings settings)
    {
        int t = settings.TensorParallel ?? best.Workload.TensorParallel;
        List<LintFinding> Findings(Func<Consumer, DecoderShape, IReadOnlyList<ConsumerRule>> broken, Func<Consumer, DecoderShape, bool> passes) =>
        [
            .. from pick in ExportTables.Picks
               from consumer in settings.Consumers.Distinct().Select(name => Consumer.Named(name)!)
               let scored = study.Pick(pick)
               let shape = scored.ToShape()
               let rules = broken(consumer, shape)
               select new LintFinding(pick, shape, consumer, rules, rules.Count == 0 ? null : Nearest(study.Law, best, scored, s => passes(consumer, s))),
        ];

        return new Lint(
            t,
            Findings((consumer, shape) => consumer.Broken(shape, t), (consumer, shape) => consumer.Broken(shape, t).Count == 0),
            Findings((consumer, shape) => consumer.Slowed(shape, t), (consumer, shape) => consumer.Broken(shape, t).Count + consumer.Slowed(shape, t).Count == 0));
    }

    /// <summary>What is wrong with a finding's shape, the rules' words in a row.</summary>
    public string Faults(LintFinding finding) => string.Join("; ", finding.Broken.Select(r => r.Fault(finding.Shape, TensorParallel)));

    /// <summary><c>lint.csv</c>.</summary>
    public Table ToTable()
    {
        var table = new TableBuilder(ExportTables.LintColumns);
        foreach (var finding in Refusals.Zip(Slows, (refusal, slow) => new[] { refusal, slow }).SelectMany(both => both))
        {
            foreach (var rule in finding.Broken)
            {
                var nearest = finding.Nearest;
                table.Add(
                    finding.Pick, finding.Consumer.Name, rule.Name, rule.Effect == RuleEffect.Refuses ? "refuses" : "slows", rule.Sentence, rule.Fault(finding.Shape, TensorParallel), rule.Source,
                    nearest?.Shape.Hidden, nearest?.Shape.Intermediate, nearest?.Shape.Heads, nearest?.Shape.KvHeads, nearest?.Shape.HeadSize, nearest?.Shape.Tied,
                    nearest?.LossDifference, nearest?.SpeedChange);
            }
        }

        return table.Build();
    }

    private static Neighbour? Nearest(LawDocument? law, SearchResult best, ScoredShape pick, Func<DecoderShape, bool> passes)
    {
        var shape = pick.ToShape();
        double LossOf(DecoderShape s) => law!.Predict(LawPoint.Of(s, best.Size, best.Tokens));
        double SpeedOf(DecoderShape s) => Speed.Predict(best.Device.Model, s, best.Workload).TokensPerSecond;
        if (NearestShape.Of(shape, passes, law is null ? null : LossOf) is not { } nearest)
        {
            return null;
        }

        // Without a level of its own the law tells factors, and the search has set the level.
        double? difference = law is null ? null : law.HasLevel ? LossOf(nearest) - LossOf(shape) : pick.Predicted * (LossOf(nearest) / LossOf(shape) - 1);
        return new Neighbour(nearest, difference, SpeedOf(nearest) / SpeedOf(shape) - 1);
    }
}
