// A study made of formulas: what export is tested on. No model was trained for these numbers.
using System.Globalization;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

/// <summary>Small shapes whose losses are a law's, moved by a fixed pattern instead of noise; speeds that fall with the bytes of weights and cache.</summary>
internal static class SyntheticStudy
{
    private static readonly ChinchillaLaw Base = new(1.5, 40, 60, 0.35, 0.30);
    private static readonly ShapeTerms Terms = new(LawForm.Multiplicative, Normalised(a1: 0.06, a2: 0.06 * 0.24, b1: 0.012, b2: 0.012 * 1.4));
    private static readonly Workload Workload = new(128, 64, 8) { Weights = DataType.Float32, KvCache = DataType.Float32 };

    public static readonly DecoderShape Baseline = new(2, 48, 176, 12, 6, 8, 256, true);
    public static readonly DecoderShape Accurate = new(2, 60, 104, 16, 8, 8, 256, true);
    public static readonly DecoderShape Efficient = new(2, 64, 124, 10, 5, 8, 256, true);

    private static readonly DecoderShape[] CandidateShapes =
        [Baseline, Accurate, Efficient, new(2, 64, 100, 14, 7, 8, 256, true), new(2, 72, 100, 8, 4, 8, 256, true), new(2, 44, 180, 14, 7, 8, 256, true), new(2, 52, 140, 14, 7, 8, 256, true)];

    private static readonly DecoderShape[] RunShapes =
    [
        new(2, 16, 30, 8, 4, 8, 256, true), new(2, 20, 36, 6, 3, 8, 256, true), new(2, 24, 36, 4, 2, 8, 256, true), new(2, 20, 52, 4, 2, 8, 256, true),
        new(2, 24, 56, 8, 4, 8, 256, true), new(2, 30, 52, 6, 3, 8, 256, true), new(2, 36, 44, 6, 3, 8, 256, true), new(2, 28, 76, 4, 2, 8, 256, true),
        new(2, 32, 88, 12, 6, 8, 256, true), new(2, 44, 76, 8, 4, 8, 256, true), new(2, 52, 60, 8, 4, 8, 256, true), new(2, 40, 116, 4, 2, 8, 256, true),
    ];

    /// <summary>Writes every table that export takes.</summary>
    /// <returns>Paths by role.</returns>
    public static Dictionary<string, string> Write(TemporaryFolder folder)
    {
        var law = Law();
        law.Write(folder["law.json"]);
        Best().Write(folder["best.json"]);
        Runs().Write(folder["runs.csv"]);
        Candidates().Write(folder["candidates.csv"]);
        Table front = new(Candidates().Columns, [.. Candidates().Each().Zip(Candidates().Rows).Where(r => r.First.Truth("on_front")).OrderBy(r => r.First.Number("predicted")).Select(r => r.Second)]);
        front.Write(folder["front.csv"]);
        Residuals(law).Write(folder["residuals.csv"]);
        Predictions(law).Write(folder["predictions.csv"]);
        Speeds().Write(folder["speed.csv"]);
        folder.Write("scores.json", """
            {
              "held_out": {
                "size": 36600, "fitted_rows": 14, "fitted_sizes": [9100, 18200], "form": "multiplicative",
                "budgets": [
                  { "tokens": 366000, "rows": 4, "mse": 0.00021, "spearman": 0.8, "spearman_reason": null, "spearman_interval": null, "level_error": 0.0101, "shape_error": 0.0031, "pick": 17, "coverage": 1, "regret": 0, "regret_of_copy": 0.0012, "regret_of_quadratic": 0 },
                  { "tokens": 732000, "rows": 4, "mse": 0.00025, "spearman": null, "spearman_reason": "Ranks.", "spearman_interval": null, "level_error": -0.0122, "shape_error": 0.0042, "pick": 18, "coverage": 0.75, "regret": 0.0021, "regret_of_copy": 0, "regret_of_quadratic": 0.0034 }
                ],
                "all": { "tokens": 549000, "rows": 8, "mse": 0.00023, "spearman": 0.9, "spearman_reason": null, "spearman_interval": null, "level_error": -0.001, "shape_error": 0.004, "pick": 18, "coverage": 0.875, "regret": 0.002, "regret_of_copy": 0.0012, "regret_of_quadratic": 0.0034 },
                "verdicts": []
              },
              "reason": null
            }
            """);
        Sensitivity().Write(folder["sensitivity.csv"]);
        return new[] { "best.json", "runs.csv", "law.json", "residuals.csv", "predictions.csv", "scores.json", "speed.csv", "candidates.csv", "front.csv", "sensitivity.csv" }
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file), file => folder[file]);
    }

    /// <summary>As export reads it.</summary>
    public static Study Read(Dictionary<string, string> inputs, TemporaryFolder folder) => Study.Read(new StageContext<ExportSettings>(new ActionContext
    {
        Settings = [],
        Inputs = inputs.ToDictionary(i => i.Key, i => (IReadOnlyList<InputFile>)[new InputFile(i.Value)]),
        OutputFolder = folder.Path,
        WorkFolder = folder.Path,
        CacheFolder = folder.Path,
        Progress = _ => { },
        Report = _ => { },
        Publish = () => { },
    }));

    /// <summary>A search's result with these picks.</summary>
    public static SearchResult Best(DecoderShape? accurate = null, bool withBaseline = true) => new()
    {
        Size = 80_000,
        Tokens = 1_600_000,
        Workload = Workload,
        Device = new DeviceModel { Name = "this machine", Source = "calibrated", Roofline = new Roofline(1e-10, 2e-11, 1e-4), Rows = 4, HeldOutError = 0.031 },
        Baseline = withBaseline ? Scored(Baseline) : null,
        Accurate = Scored(accurate ?? Accurate, withBaseline),
        Efficient = Scored(Efficient, withBaseline),
        Tolerance = 0.05,
        Probability = 0.8,
        Misfit = 0.003,
        MisfitSource = "as set",
        Layers = [2],
        HeadSize = [8],
        Gqa = [2],
        MultipleOf = 4,
        Constraints = [new ConstraintCount("loss", "lose no more than the baseline with a probability of 80 %", 5, 5), new ConstraintCount("limits.latency", "take at most 0.2 s a batch", 6, 4)],
        Valley = new Valley(0.001, 1, new Bounds(0.208, 0.208), new Bounds(0.812, 0.812)),
        TradePlaces = [new TradePlace("accurate", "efficient", "efficient", null, "efficient", null), new TradePlace("efficient", "baseline", "baseline", 3, "efficient", 4000)],
    };

    private static Table Sensitivity() => new(
        ["multiple_of", "candidates", "pick", "hidden", "intermediate", "heads", "kv_heads", "gqa", "predicted", "difference_to_best", "tokens_per_second"],
        [
            ["2", "31", "accurate", "58", "106", "16", "8", "2", "3.0919", "0", "4502.5"], ["2", "31", "efficient", "66", "126", "10", "5", "2", "3.1017", "0.0098", "6400.1"],
            ["4", "7", "accurate", "60", "104", "16", "8", "2", "3.0921", "0.0002", "4480.9"], ["4", "7", "efficient", "64", "124", "10", "5", "2", "3.1011", "0.0092", "6370.3"],
        ]);

    private static LawDocument Law() => new()
    {
        Options = new LawOptions(),
        Base = Base,
        Shape = Terms,
        Verdicts =
        [
            new("exponents", Identification.WeaklyIdentified, "Three sizes and two budgets."),
            new("x_star", Identification.Identified, "The interval lies inside the runs."),
            new("r_star", Identification.NotIdentified, "Resamples had no minimum below 4."),
            new("prediction_along_ray", Identification.Identified, "The interval is narrow."),
            new("prediction_off_ray", Identification.WeaklyIdentified, "Two budgets."),
        ],
        Intervals = new LawIntervals { E = new(1.1, 1.8), Alpha = new(0.28, 0.41), Beta = new(0.25, 0.36), XStar = new(0.21, 0.27), RStar = new(0.9, null) },
        Restarts = new Restarts(12, 11, new(0.35, 0.35), new(0.3, 0.3)),
        Certificate = new Certificate { Status = Convergence.Converged, GradientNorm = 1e-12, ConditionNumber = 310, AtBounds = [] },
        Fit = new FitSummary { Rows = 24, Runs = 24, Groups = 1, ResidualStandardDeviation = 0.004, RunNoise = 0.0035, LevelNoise = 0.002, ReplicateFreedom = 0 },
        Ranges = new LawRanges
        {
            Parameters = Range(RunShapes.Select(s => (double)s.Parameters)),
            Tokens = new(10 * (double)RunShapes.Min(s => s.Parameters), 20 * (double)RunShapes.Max(s => s.Parameters)),
            TokensPerParameter = new(10, 20),
            X = Range(RunShapes.Select(s => s.X)),
            Ratio = Range(RunShapes.Select(s => s.Ratio)),
            Sizes = [.. RunShapes.Chunk(4).Select(c => c.Average(s => (double)s.Parameters))],
        },
        Context = new LawContext { Layers = [2], HeadSize = [8], Gqa = [2], Vocabulary = [256], Tied = [true] },
        Resamples = [.. Enumerable.Range(-10, 21).Select(i => Resample(i / 10.0))],
    };

    private static Table Runs()
    {
        string[] columns = [.. Vocabulary.ShapeTerms.Select(t => t.Name), "seed", "tokens_per_parameter", "tokens", "loss", "batch", "context", "tokenizer", "evaluation_tokens", "unique_tokens"];
        return new Table(columns, [.. RunRows().Select(r => (string[])
            [.. r.Shape.Cells().Select(Table.Cell), "1", Table.Cell(r.Budget), Table.Cell(r.Tokens), Table.Cell(r.Loss), "8", "64", "bytes", "65536", "500000"])]);
    }

    private static Table Residuals(LawDocument law) => new(
        ["row", "shape", "parameters", "tokens", "x", "ratio", "loss", "predicted", "residual"],
        [.. RunRows().Select((r, i) =>
        {
            double predicted = law.Predict(r.Shape.Parameters, r.Tokens, r.Shape.X, r.Shape.Ratio);
            return (string[])[$"{i + 1}", r.Shape.Id, .. Cells(r.Shape.Parameters, r.Tokens, r.Shape.X, r.Shape.Ratio, r.Loss, predicted, r.Loss - predicted)];
        })]);

    private static Table Predictions(LawDocument law)
    {
        var rows = new List<string[]>();
        foreach (var run in RunRows().Where(r => r.Shape.Parameters > 24_000))
        {
            double predicted = law.Predict(run.Shape.Parameters, run.Tokens, run.Shape.X, run.Shape.Ratio) + 0.01;
            rows.Add(["held_out", "32000", run.Shape.Id, .. Cells(run.Shape.Parameters, run.Tokens, run.Shape.X, run.Shape.Ratio, run.Loss, predicted, predicted - 0.02, predicted + 0.02, run.Loss - predicted)]);
        }

        foreach (double size in (double[])[80_000, 160_000])
        {
            double predicted = law.Predict(size, 20 * size);
            rows.Add(["target", Table.Cell(size), "", .. Cells(size, 20 * size, 0.24, 1.4), "", .. Cells(predicted, predicted - 0.03, predicted + 0.04), ""]);
        }

        return new Table(["purpose", "size", "shape", "parameters", "tokens", "x", "ratio", "loss", "predicted", "predicted_low", "predicted_high", "residual"], rows);
    }

    private static Table Candidates()
    {
        string[] columns =
        [
            .. Vocabulary.ShapeTerms.Select(t => t.Name), "predicted", "predicted_low", "predicted_high", "loss_difference", "probability_feasible", "feasible", "kv_bytes_per_token",
            "time_to_first_token", "time_per_output_token", "tokens_per_second", "tokens_per_second_low", "tokens_per_second_high", "source", "on_front",
        ];
        var scored = CandidateShapes.Select(s => Scored(s)).ToList();
        return new Table(columns, [.. scored.Select(c => (string[])
        [
            .. c.ToShape().Cells().Select(Table.Cell), .. Cells(c.Predicted, c.PredictedLow!.Value, c.PredictedHigh!.Value, c.LossDifference!.Value, c.ProbabilityFeasible!.Value), Table.Cell(c.LossDifference <= 0),
            .. Cells(c.KvBytesPerToken, c.TimeToFirstToken, c.TimePerOutputToken, c.TokensPerSecond, c.TokensPerSecondLow!.Value, c.TokensPerSecondHigh!.Value), "calibrated",
            Table.Cell(!scored.Exists(o => o.TokensPerSecond > c.TokensPerSecond && o.Predicted < c.Predicted)),
        ])]);
    }

    private static Table Speeds()
    {
        string[] columns =
        [
            .. Vocabulary.ShapeTerms.Select(t => t.Name), "device", "data_type", "threads", "prompt", "output", "batch", "time_to_first_token", "time_per_output_token", "tokens_per_second",
            "tokens_per_second_low", "tokens_per_second_high", "total_tokens_per_second", "anchor", "relative_speed", "relative_speed_low", "relative_speed_high", "peak_memory", "kv_bytes_per_token", "weight_bytes",
            "bandwidth_utilisation", "flop_utilisation", "roofline_ratio", "repeats", "source",
        ];
        var slowest = RunShapes.MinBy(s => SpeedOf(s).TokensPerSecond)!;
        string[] RowOf(DecoderShape s, bool skipped)
        {
            var (speed, relative) = (SpeedOf(s), SpeedOf(s).TokensPerSecond / SpeedOf(slowest).TokensPerSecond);
            string[] measured =
            [
                .. Cells(speed.TimeToFirstToken, speed.TimePerOutputToken, speed.TokensPerSecond, 0.9 * speed.TokensPerSecond, 1.1 * speed.TokensPerSecond, speed.TotalTokensPerSecond), slowest.Id,
                .. Cells(relative, 0.9 * relative, 1.1 * relative, 1.2 * speed.MemoryBytes), .. Cells(speed.KvBytesPerToken, 4 * s.ParametersTotal, 1.2, 0.25, 0.4), "5", "measured",
            ];
            string[] absent = [.. Enumerable.Repeat("", 11), .. Cells(speed.KvBytesPerToken, 4 * s.ParametersTotal), "", "", "", "0", "skipped"];
            return [.. s.Cells().Select(Table.Cell), "a machine", "float32", "1", "128", "64", "8", .. skipped ? absent : measured];
        }

        return new Table(columns, [.. RunShapes.Where((_, i) => i % 3 == 0).Select(s => RowOf(s, skipped: false)), RowOf(RunShapes[1], skipped: true)]);
    }

    private static IEnumerable<(DecoderShape Shape, double Budget, double Tokens, double Loss)> RunRows() =>
        from i in Enumerable.Range(0, RunShapes.Length)
        from budget in (double[])[10, 20]
        let shape = RunShapes[i]
        let tokens = budget * shape.Parameters
        let pattern = 0.004 * ((i * 7 + budget) % 5 - 2) / 2
        select (shape, budget, tokens, Terms.Apply(Base.Predict(shape.Parameters, tokens), new LawPoint(shape.Parameters, 1) { X = shape.X, Ratio = shape.Ratio }) + pattern);

    private static ScoredShape Scored(DecoderShape shape, bool withBaseline = true)
    {
        var scored = ScoredShape.Of(shape, Predicted(shape), SpeedOf(shape), withBaseline ? Predicted(Baseline) : null);
        return !withBaseline ? scored : scored with
        {
            PredictedLow = scored.Predicted - 0.012,
            PredictedHigh = scored.Predicted + 0.015,
            ProbabilityFeasible = scored.LossDifference == 0 ? 1 : scored.LossDifference < -0.02 ? 0.993 : 0.87,
            TokensPerSecondLow = 0.94 * scored.TokensPerSecond,
            TokensPerSecondHigh = 1.06 * scored.TokensPerSecond,
        };
    }

    private static double Predicted(DecoderShape shape) => Terms.Apply(Base.Predict(shape.Parameters, 1_600_000), new LawPoint(shape.Parameters, 1) { X = shape.X, Ratio = shape.Ratio });

    /// <summary>No roofline: a pass takes as long as its bytes at 1 GB/s.</summary>
    private static Speed SpeedOf(DecoderShape shape)
    {
        double cache = 4.0 * shape.KvElementsPerToken;
        double step = (4.0 * shape.ParametersTotal + 8 * 160 * cache) / 1e9;
        return Speed.Of(shape, Workload, 4 * step, step);
    }

    private static double[] Resample(double move)
    {
        var c = Terms.Coefficients;
        return [Base.E, Base.A, Base.B, Base.Alpha, Base.Beta, c.A0, c.A1 * (1 + 0.2 * move), c.A2, c.B0, c.B1, c.B2 * (1 - 0.9 * move), 0];
    }

    /// <summary>Coefficients with factor 1 at x* and r*.</summary>
    private static ShapeCoefficients Normalised(double a1, double a2, double b1, double b2) =>
        new(1 - a1 * Math.Log(a2 / a1) - a1, a1, a2, 1 - b1 * Math.Log(b2 / b1) - b1, b1, b2);

    private static Interval Range(IEnumerable<double> values) => new(values.Min(), values.Max());

    private static IEnumerable<string> Cells(params double[] values) => values.Select(v => v.ToString("R", CultureInfo.InvariantCulture));
}
