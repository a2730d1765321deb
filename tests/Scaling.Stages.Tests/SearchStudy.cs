// What tests of `search` search: a law of small models and rows measured on a machine with a known roofline.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

internal static class SearchStudy
{
    /// <summary>What every search of it says, with a baseline.</summary>
    public const string Ask = "\"size\":64000,\"tokens_per_parameter\":20,\"baseline\":{\"hidden\":48,\"ratio\":4,\"gqa\":2}";

    /// <summary>Columns of speed.csv.</summary>
    public static IReadOnlyList<string> SpeedColumns { get; } =
    [
        .. Vocabulary.ShapeTerms.Select(t => t.Name), "prompt", "output", "batch", "threads", "data_type", "device", "time_to_first_token",
        "time_per_output_token", "tokens_per_second", "tokens_per_second_low", "tokens_per_second_high", "kv_bytes_per_token", "weight_bytes",
        "repeats", "source",
    ];

    /// <summary>Runs the stage.</summary>
    /// <param name="folder">Where it works.</param>
    /// <param name="settings">JSON.</param>
    /// <param name="law">Path.</param>
    /// <param name="speed">Path; null: the role is not bound.</param>
    /// <param name="others">Further roles with their paths.</param>
    public static StageResult Search(TemporaryFolder folder, string settings, string law, string? speed = null, params (string Role, string Path)[] others)
    {
        var inputs = new Dictionary<string, string> { ["law"] = law };
        if (speed is not null)
        {
            inputs["speed"] = speed;
        }

        foreach (var (role, path) in others)
        {
            inputs[role] = path;
        }

        // Each search keeps its files, so that two can be compared.
        var result = new StageRunner(new SearchStage(), folder).Run(JsonNode.Parse(settings)!.AsObject(), inputs);
        string kept = folder[$"search {Directory.GetDirectories(folder.Path, "search *").Length + 1}"];
        Directory.Move(result.Folder, kept);
        return result with { Folder = kept };
    }

    /// <summary>best.json of a search.</summary>
    public static SearchResult Best(this StageResult result) => SearchResult.Read(Path.Combine(result.Folder, "best.json"));

    /// <summary>A law of small models with its minimum at x 0.24 and ratio 1.5.</summary>
    public static string Law(TemporaryFolder folder, Func<LawDocument, LawDocument>? change = null)
    {
        var law = new LawDocument
        {
            Options = new LawOptions(),
            Base = new ChinchillaLaw(0.8, 20, 30, 0.35, 0.3),
            Shape = new ShapeTerms(LawForm.Multiplicative, new ShapeCoefficients(1, 0.1, 0.024, 1, 0.05, 0.075)),
            Verdicts = [],
            Intervals = new LawIntervals(),
            Restarts = new Restarts(1, 1, new(0.35, 0.35), new(0.3, 0.3)),
            Certificate = new Certificate { Status = Convergence.Converged, GradientNorm = 0, AtBounds = [] },
            Fit = new FitSummary { Rows = 24, Runs = 24, Groups = 1, ResidualStandardDeviation = 0.01, RunNoise = 0.01, LevelNoise = 0, ReplicateFreedom = 0 },
            Ranges = new LawRanges
            {
                Parameters = new(8_000, 32_000),
                Tokens = new(80_000, 640_000),
                TokensPerParameter = new(10, 20),
                X = new(0.15, 0.4),
                Ratio = new(0.4, 4.2),
                Sizes = [8_000, 16_000, 32_000],
            },
            Context = new LawContext { Layers = [2], HeadSize = [8], Gqa = [2], Vocabulary = [256], Tied = [true] },
        };
        string path = folder["law.json"];
        (change is null ? law : change(law)).Write(path);
        return path;
    }

    /// <summary>Rows as a machine with this roofline would be measured, in float32.</summary>
    public static string Speed(TemporaryFolder folder, string secondDevice = "cpu-2", double? time = null)
    {
        var machine = new Roofline(5e-11, 2e-10, 1e-5);
        var workload = new Workload(128, 64, 8) { Weights = DataType.Float32, KvCache = DataType.Float32 };
        DecoderShape[] shapes = [new(2, 24, 100, 4, 2, 8, 256, true), new(2, 32, 40, 8, 4, 8, 256, true), new(2, 64, 20, 2, 1, 8, 256, true)];
        var rows = shapes.Select((shape, i) =>
        {
            var s = Scaling.Architectures.Speed.Predict(machine, shape, workload);
            object[] cells =
            [
                .. shape.Cells(), 128, 64, 8, 2, "float32", i == 1 ? secondDevice : "cpu-2", time ?? s.TimeToFirstToken, s.TimePerOutputToken,
                s.TokensPerSecond, s.TokensPerSecond, s.TokensPerSecond, s.KvBytesPerToken, shape.ParametersTotal * 4, 5, "measured",
            ];
            return cells.Select(Table.Cell).ToArray();
        });
        string path = folder["speed.csv"];
        new Table(SpeedColumns, [.. rows]).Write(path);
        return path;
    }
}
