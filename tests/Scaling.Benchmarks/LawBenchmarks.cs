// What is timed: fits of both laws under both objectives, and the rival's fit.
using BenchmarkDotNet.Attributes;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>A fit with its certificate and without resamples: what an interactive user waits for.</summary>
public class CertifiedFit
{
    private IReadOnlyList<TrainingRun> _runs = [];

    [Params(LawKind.Conditional, LawKind.Chinchilla)]
    public LawKind Law { get; set; }

    [ParamsAllValues]
    public ObjectiveKind Objective { get; set; }

    [GlobalSetup]
    public void Setup() => _runs = StudyTables.Of(Law);

    [Benchmark]
    public object Fit() => LawFit.Fit(_runs, new LawContext(), new LawOptions { Law = Law, Objective = Objective, Resamples = 0 });
}

/// <summary>What a study's stages do: a fit with resamples, and every size predicted from the smaller ones.</summary>
public class ResampledFit
{
    /// <summary>Of the fit; a rollout takes a few hundred a step whatever is asked.</summary>
    public const int Resamples = 4000;

    private IReadOnlyList<TrainingRun> _runs = [];

    [Params(LawKind.Conditional, LawKind.Chinchilla)]
    public LawKind Law { get; set; }

    [ParamsAllValues]
    public ObjectiveKind Objective { get; set; }

    private LawOptions Options => new() { Law = Law, Objective = Objective, Resamples = Resamples };

    [GlobalSetup]
    public void Setup() => _runs = StudyTables.Of(Law);

    [Benchmark]
    public object Fit() => LawFit.Fit(_runs, new LawContext(), Options);

    [Benchmark]
    public object Rollout() => Laws.Rollout.Of(_runs, new LawContext(), Options, near: 2);
}

/// <summary>The same log-Huber Chinchilla fit by <see cref="MultiStartFit"/> and by ours, certificate included, each on one core.</summary>
public class Rival
{
    private IReadOnlyList<TrainingRun> _runs = [];

    [ParamsAllValues]
    public Surface Table { get; set; }

    [GlobalSetup]
    public void Setup() => _runs = StudyTables.Of(Table);

    [Benchmark(Baseline = true)]
    public object Ours() => OursOf(_runs);

    [Benchmark]
    public object MultiStart() => MultiStartFit.Fit(_runs);

    internal static LawDocument OursOf(IReadOnlyList<TrainingRun> runs) =>
        LawFit.Fit(runs, new LawContext(), new LawOptions { Law = LawKind.Chinchilla, Objective = ObjectiveKind.LogHuber, Resamples = 0 }).Document;
}
