// What a candidate must meet, each demand with its words, and what is told where they leave nothing.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>One demand.</summary>
/// <param name="Name">As column <c>breaks</c> has it: the setting, or a consumer's name.</param>
/// <param name="Words">What candidates do that meet it, for example <c>take at most 2 s a batch</c>.</param>
/// <param name="Relax">What to type to ask for less.</param>
/// <param name="Meets">Whether a shape does.</param>
internal sealed record Demand(string Name, string Words, string Relax, Func<DecoderShape, Serving, bool> Meets);

/// <summary>Names that are no setting's.</summary>
public static class Demands
{
    /// <summary>The demand on the loss, which comes last: a candidate that breaks it alone is still on the front.</summary>
    public const string Loss = "loss";

    /// <summary>The demand that every device has whole heads and an equal part of the MLP.</summary>
    public const string Split = "tensor_parallel";

    /// <summary>All demands but that on the loss, in the order in which they are told.</summary>
    internal static IReadOnlyList<Demand> Of(SearchSettings settings, SpeedModel speed, IReadOnlySet<DecoderShape> skipped)
    {
        int t = speed.Workload.TensorParallel;
        var demands = new List<Demand>();
        if (skipped.Count > 0)
        {
            demands.Add(new("measured", "were reached by the walk over GQA", "Write 'gqa_walk: exhaustive'.", (s, _) => !skipped.Contains(s)));
        }

        if (t > 1)
        {
            demands.Add(new(
                Split, $"can be split over {t} devices", "Lower 'workload.tensor_parallel', or search other groupings.",
                (s, _) => s.Heads % t == 0 && s.Intermediate % t == 0 && (s.KvHeads % t == 0 || t % s.KvHeads == 0)));
        }

        foreach (string name in settings.Consumers.Distinct())
        {
            var consumer = Consumer.Named(name) ?? throw new StageFailedException(
                "SCAL7324", $"There is no consumer '{name}'. Expected one of {string.Join(", ", Consumer.All.Select(c => c.Name))}.", NearestSpelling.Hint(name, Consumer.All.Select(c => c.Name)));
            demands.Add(new(name, $"are taken by {consumer.Title}", $"Remove '{name}' from 'consumers', or lower 'multiple_of'.", (s, _) => consumer.Broken(s, t).Count == 0));
        }

        if (speed.Machine.MemoryBytes is { } memory)
        {
            demands.Add(new(
                "memory", $"fit into {Bytes(memory * ServingMemory.Share)} of memory with one sequence", "Shorten 'workload.prompt', raise 'workload.tensor_parallel', or serve in fp8.", (_, s) => s.Fits));
        }

        void Limit(string name, double? most, Func<double, string> words, Func<Speed, double> of)
        {
            if (most is { } value)
            {
                demands.Add(new($"limits.{name}", words(value), $"Raise 'limits.{name}'.", (_, s) => of(s.Speed) <= value));
            }
        }

        Limit("time_to_first_token", settings.Limits?.TimeToFirstToken, v => $"give the first token within {v:G4} s", s => s.TimeToFirstToken);
        Limit("time_per_output_token", settings.Limits?.TimePerOutputToken, v => $"take at most {v:G4} s a step", s => s.TimePerOutputToken);
        Limit("latency", settings.Limits?.Latency, v => $"take at most {v:G4} s a batch", s => s.Latency);
        Limit("memory", settings.Limits?.Memory, v => $"fill at most {Bytes(v)} of memory", s => s.MemoryBytes);
        return demands;
    }

    /// <summary>The demand on the loss, as far as it is told.</summary>
    internal static Demand OnLoss(SearchSettings settings, double? threshold)
    {
        string atMost = settings.LossAtMost is { } nats ? $"{nats:0.0000} nats a token" : $"the baseline's {threshold:0.0000}";
        string words = $"lose at most {atMost}{(settings.Probability == 0.5 ? "" : $" with a probability of {settings.Probability:0.####}")}";
        return new(
            Loss, words, settings.LossAtMost is null ? "Widen 'x' or 'ratio', lower 'multiple_of' or 'probability', or choose another baseline." : "Raise 'loss_at_most', or lower 'probability'.",
            (_, _) => true);
    }

    /// <summary>How many candidates each demand leaves.</summary>
    internal static IReadOnlyList<ConstraintCount> Count(IReadOnlyList<Candidate> candidates, IReadOnlyList<Demand> demands)
    {
        var counts = new List<ConstraintCount>();
        IReadOnlyList<Candidate> left = candidates;
        foreach (var demand in demands)
        {
            left = [.. left.Where(c => !c.Breaks.Contains(demand.Name))];
            counts.Add(new ConstraintCount(demand.Name, demand.Words, candidates.Count(c => !c.Breaks.Contains(demand.Name)), left.Count));
        }

        return counts;
    }

    /// <summary>Refuses a search that found nothing feasible.</summary>
    /// <param name="settings">What was asked.</param>
    /// <param name="candidates">At least one, ranked.</param>
    /// <param name="demands">All, that on the loss last.</param>
    /// <param name="speed">What was served where.</param>
    /// <exception cref="StageFailedException">SCAL7322: the workload fits into memory with no candidate; SCAL7306: nothing meets every demand.</exception>
    internal static void RefuseNone(SearchSettings settings, IReadOnlyList<Candidate> candidates, IReadOnlyList<Demand> demands, SpeedModel speed)
    {
        if (candidates.Any(c => c.Feasible))
        {
            return;
        }

        if (candidates.All(c => !c.Serving.Fits))
        {
            var workload = speed.Workload.Of(1);
            var least = candidates.Select(c => c.Shape).MinBy(s => ServingMemory.Bytes(s, workload))!;
            throw new StageFailedException(
                "SCAL7322",
                $"The workload is larger than memory: one sequence of {workload.Prompt} + {workload.Output} tokens takes at least {Bytes(ServingMemory.SequenceBytes(least, workload))} of cache beside "
                + $"{Bytes(ServingMemory.WeightBytes(least, workload))} of weights, and {speed.Machine.Name} has {Bytes(speed.Machine.MemoryBytes!.Value * ServingMemory.Share)} for them (90 % of {Bytes(speed.Machine.MemoryBytes.Value)}).",
                "Shorten 'workload.prompt', raise 'workload.tensor_parallel', serve in fp8, or choose a larger device.");
        }

        string reach = settings.LossAtMost is not null && candidates.FirstOrDefault(c => c.Allowed) is { } best ? $" The least that one is predicted to lose is {best.Predicted:0.0000}." : "";
        string steps = string.Join("; ", Count(candidates, demands).Select(c => $"{c.Left} of these {c.Demand}"));
        string shapes = $"{candidates.Count} shape{(candidates.Count == 1 ? "" : "s")}";
        var relaxed = demands.Select(d => (Demand: d, Left: candidates.Count(c => c.Breaks.All(b => b == d.Name)))).MaxBy(r => r.Left);
        throw new StageFailedException(
            "SCAL7306", $"Nothing is feasible: {shapes}; {steps}.{reach}",
            relaxed.Left == 0 ? "No single demand is to blame: relax several." : $"Without the demand '{relaxed.Demand.Name}' {relaxed.Left} would be left. {relaxed.Demand.Relax}");
    }

    /// <summary>Bytes as a person reads them.</summary>
    internal static string Bytes(double bytes) => bytes switch
    {
        >= 1e9 => $"{bytes / 1e9:0.##} GB",
        >= 1e6 => $"{bytes / 1e6:0.##} MB",
        _ => $"{bytes / 1e3:0.##} kB",
    };
}
