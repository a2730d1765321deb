// What a pipeline can say of a study that is planned: `design` of a sweep.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>What a study is for, what it may cost, and what is believed beforehand. The shapes of the grid are then candidates, of which it chooses.</summary>
public sealed record DesignSettings
{
    [Description("Size at which a shape is to be picked, in non-embedding parameters. Above every one of 'sizes'.")]
    [Unit("parameters"), Range(1, 1e15)]
    public required long Target { get; init; }

    [Description("Decoder blocks of the target. Absent: those of the largest size.")]
    [Unit("layers"), Range(1, 10_000)]
    public int? TargetLayers { get; init; }

    [Description("Features a head of the target, even. Absent: those of the largest size.")]
    [Unit("features"), Range(2, 65_536)]
    public int? TargetHeadSize { get; init; }

    [Description("Hidden and intermediate sizes of the target are multiples of it. Absent: as 'multiple_of'.")]
    [Unit("features"), Range(1, 65_536)]
    public int? TargetMultipleOf { get; init; }

    [Description("What all runs may cost together, those of baselines included: 'flops', 'gpu_hours' of a device, or 'hours' of this machine.")]
    public required BudgetSettings Budget { get; init; }

    [Description("Training tokens a non-embedding parameter of the asked size, as of the stage that trains; rows of another number are no results.")]
    [Unit("tokens a parameter"), Range(1e-6, 1e9)]
    public double TokensPerParameter { get; init; } = 20;

    [Description("Shares of 'tokens_per_parameter' for which a candidate may be trained too, with a schedule of its own: cheaper runs, whose best shape may be another. What that bias is, long runs beside them must show: they tell little of the target before, and alone end no study. 'replicates' bounds short and whole runs each. Needs a stage that trains by 'tokens_share', as 'train' does; 'fit' reads them by 'form: valley'.")]
    [Unit("1"), Range(0.01, 0.5)]
    public IReadOnlyList<double> ShortRuns { get; init; } = [];

    [Description("Length of a training sequence, as of the stage that trains: attention costs by it.")]
    [Unit("tokens"), Range(2, 1_048_576)]
    public int Context { get; init; } = 64;

    [Description("What a run is trained on at least, whatever its size: the fewest steps of your trainer times the tokens of a step.")]
    [Unit("tokens"), Range(0, 1e15)]
    public double MinimumTokens { get; init; }

    [Description("What a run takes of its device or process beside its steps: start, compilation, evaluation. Needs a budget in hours.")]
    [Unit("s"), Range(0, 1e7)]
    public double FixedSeconds { get; init; }

    [Description("Runs of a round, for a stage with 'feedback' of what trains them: each round is chosen by the losses of those before. Absent: the whole budget in one round.")]
    [Unit("runs"), Range(2, 5_000), NeedsFeedback]
    public int? Round { get; init; }

    [Description("What is believed before the first run. 'published': the constants of arXiv 2510.18245; a file: law.json of 'fit'. Absent: an optimum anywhere in the range of 'x' and 'ratio', and curvatures within a factor of three of the published.")]
    [NamedFiles("published", "")]
    public FileSet? Prior { get; init; }

    [Description("Standard deviation between runs alike in all but the seed, as believed beforehand: the runs correct it. Absent: as of the runs behind 'prior' where that is a file, else 0.002.")]
    [Unit("nats a token"), Range(1e-9, 10)]
    public double? Noise { get; init; }

    [Description("When to stop before the budget is spent. Absent: when one shape is left at a confidence of 0.8.")]
    public StopSettings? Stop { get; init; }
}

/// <summary>What runs may cost: one of three.</summary>
public sealed record BudgetSettings
{
    [Description("Floating-point operations of training. Give this, 'gpu_hours' or 'hours'.")]
    [Unit("FLOP"), Range(1, 1e30)]
    public double? Flops { get; init; }

    [Description("Hours of one GPU, those of all GPUs added up. Needs 'device'.")]
    [Unit("h"), Range(1e-9, 1e9)]
    public double? GpuHours { get; init; }

    [Description("The GPU of 'gpu_hours', by its data sheet: dense bfloat16.")]
    [AllowedValues("a100-40", "a100-80", "h100-sxm", "h200")]
    public string? Device { get; init; }

    [Description("Share of the device's peak that training reaches, beside 'gpu_hours'.")]
    [Unit("1"), Range(1e-6, 1)]
    public double Utilisation { get; init; } = 0.4;

    [Description("Hours by the clock on this machine. Needs 'flops_per_second'.")]
    [Unit("h"), Range(1e-9, 1e9)]
    public double? Hours { get; init; }

    [Description("What one training process reaches, beside 'hours': 'flops_per_second' of timings.csv, which the stage that trains writes.")]
    [Unit("FLOP/s"), Range(1, 1e24)]
    public double? FlopsPerSecond { get; init; }

    [Description("Training processes side by side, beside 'hours'.")]
    [Unit("processes"), Range(1, 100_000)]
    public int Processes { get; init; } = 1;
}

/// <summary>When a study has told enough.</summary>
public sealed record StopSettings
{
    [Description("Ends it when the expected regret of the pick is at most this. Absent: never.")]
    [Unit("nats a token"), Range(1e-12, 10)]
    public double? Regret { get; init; }

    [Description("Ends it when one shape of the target is the best with this probability. 1: never.")]
    [Unit("1"), Range(0.01, 1)]
    public double Confidence { get; init; } = 0.8;
}
