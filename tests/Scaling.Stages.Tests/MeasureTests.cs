// The stage `measure` on small shapes, as a worker runs a batch.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.TestKit;
using Scaling.Torch;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Tests;

[Collection("torch")]
public sealed class MeasureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_shape_is_timed_and_its_bytes_are_counted()
    {
        var table = Runner().Run(Settings(), row: TorchStages.Row(TorchStages.Small)).Table("speed.csv");

        var speed = table[0];
        Assert.Equal(new MeasureStage().Declaration.Outputs[0].Columns.Select(c => c.Name), table.Columns);
        Assert.Equal(TorchStages.Small.Id, speed.Text("shape"));
        Assert.Equal(2 * 2 * 2 * 8 * 4, speed.Whole("kv_bytes_per_token"));
        Assert.Equal(4 * TorchStages.Small.ParametersTotal, speed.Whole("weight_bytes"));
        Assert.Equal(5, speed.Whole("repeats"));
        Assert.Equal("float32", speed.Text("data_type"));
        double first = speed.Number("time_to_first_token"), each = speed.Number("time_per_output_token"), rate = speed.Number("tokens_per_second");
        Assert.True(first > 0 && each > 0);
        Assert.True(speed.Number("tokens_per_second_low") <= rate && rate <= speed.Number("tokens_per_second_high"));
        // Medians of the parts and of the whole belong to different runs, so they agree only roughly.
        Assert.InRange(rate * (first + 7 * each) / (2 * 8), 0.3, 3);
        Assert.Equal(2 * rate, speed.Number("total_tokens_per_second"), 1e-9 * rate);
        Assert.Equal(("torch", "cpu", "float32", "measured", "measured"), (speed.Text("engine"), speed.Text("device"), speed.Text("kv_data_type"), speed.Text("peak_source"), speed.Text("source")));
    }

    [Fact]
    public void What_a_row_tells_of_the_machine_fits_together()
    {
        var speed = Runner().Run(Settings(), row: TorchStages.Row(TorchStages.Small)).Table("speed.csv")[0];

        double rate = speed.Number("tokens_per_second"), flops = speed.Number("peak_flops"), bytes = speed.Number("peak_bytes_per_second");
        var workload = new Workload(8, 8, 2) { Weights = DataType.Float32, KvCache = DataType.Float32 };
        double steps = Enumerable.Range(9, 7).Sum(c => InferenceCost.DecodeBytes(TorchStages.Small, workload, c));
        double prompt = InferenceCost.WeightBytes(TorchStages.Small, workload) + 2 * 8 * 2 * 2 * 2 * 8 * 4; // 2 sequences of 8 tokens in 2 layers of 2 heads, keys and values of 8 features
        Assert.Equal((steps + prompt) * rate / (2 * 8) / bytes, speed.Number("bandwidth_utilisation"), 1e-9);
        double ceiling = Speed.Predict(new Roofline(1 / flops, 1 / bytes, 0), TorchStages.Small, workload).TokensPerSecond;
        Assert.Equal(ceiling, speed.Number("roofline_tokens_per_second"), 1e-6 * ceiling);
        Assert.Equal(rate / ceiling, speed.Number("roofline_ratio"), 1e-9);
        Assert.InRange(speed.Number("flop_utilisation"), 0, 1);
        Assert.InRange(speed.Whole("peak_memory"), speed.Whole("weight_bytes") + 2 * 16 * speed.Whole("kv_bytes_per_token"), 1L << 30);
        Assert.InRange(speed.Number("warmup"), 1, 5);
        Assert.Contains("cores", speed.Text("processor"));
    }

    [Fact]
    public void A_shape_with_many_times_the_work_is_slower()
    {
        var large = new DecoderShape(8, 256, 1024, 8, 8, 32, 256, Tied: true);
        var settings = Settings();

        double small = Runner().Run(settings, row: TorchStages.Row(TorchStages.Small)).Table("speed.csv")[0].Number("tokens_per_second");
        double slow = Runner().Run(settings, row: TorchStages.Row(large)).Table("speed.csv")[0].Number("tokens_per_second");

        Assert.True(slow < small, $"{slow} tokens a second, where the small shape has {small}");
    }

    [Fact]
    public void Half_precision_on_the_processor_is_refused()
    {
        var settings = Settings();
        settings["data_type"] = "bfloat16";

        var failure = Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: TorchStages.Row(TorchStages.Small)));

        Assert.Equal("SCAL8101", failure.Diagnostics[0].Code);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public void Eight_bit_numbers_are_refused_wherever_they_would_be_computed(string device)
    {
        var settings = Settings();
        (settings["data_type"], settings["device"]) = ("fp8", device);

        Assert.Equal("SCAL8102", Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: TorchStages.Row(TorchStages.Small))).Diagnostics[0].Code);
    }

    [WithoutGpuFact]
    public void Without_a_GPU_the_device_is_refused_as_in_training()
    {
        var settings = Settings();
        (settings["data_type"], settings["device"]) = ("bfloat16", "cuda");

        Assert.Equal("SCAL8207", Runner().CheckMachine(settings)?.Diagnostics[0].Code);
        Assert.Equal("SCAL8207", Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: TorchStages.Row(TorchStages.Small))).Diagnostics[0].Code);
    }

    [Fact]
    public void A_workload_larger_than_the_machines_memory_is_refused_before_it_starts()
    {
        var settings = Settings();
        settings["workload"] = new JsonObject { ["prompt"] = 1_000_000, ["output"] = 8, ["batch"] = 65_536 };

        var finding = Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: TorchStages.Row(TorchStages.Small))).Diagnostics.Single();

        Assert.Equal("SCAL8104", finding.Code);
        // 256 bytes a token, 65,536 sequences of 1,000,008 tokens.
        Assert.Contains("16777.35 GB for the keys and values of 65536 sequences of 1000000 + 8 tokens", finding.Message);
        Assert.Contains("batch of ", finding.Hint);
    }

    [Fact]
    public void Every_shape_that_does_not_fit_is_named_with_what_would()
    {
        var large = new DecoderShape(16, 2048, 8192, 32, 8, 64, 128_256, Tied: true);
        var workload = new Workload(4096, 1024, 64);

        // 2.5 GB of weights; 32 KiB a token make 0.168 GB a sequence, of which 64 need 10.7 GB.
        Machine.DemandMemory([large], workload, ComputeDevice.Cuda, 16_000_000_000);
        var findings = Assert.Throws<StageFailedException>(() => Machine.DemandMemory([TorchStages.Small, large], workload, ComputeDevice.Cuda, 8_000_000_000)).Diagnostics;
        var weights = Assert.Throws<StageFailedException>(() => Machine.DemandMemory([large], workload, ComputeDevice.Cuda, 2_000_000_000)).Diagnostics;

        Assert.Equal($"Shape {large.Id} needs 2.472 GB for its weights and 10.737 GB for the keys and values of 64 sequences of 4096 + 1024 tokens; the GPU has 8.0 GB free, of which 0.9 may be filled.", findings.Single().Message);
        Assert.StartsWith("A batch of 28 fits", findings.Single().Hint);
        Assert.StartsWith("The weights alone do not fit", weights.Single().Hint);
    }

    [Fact]
    public void A_stop_is_obeyed_within_a_run()
    {
        Assert.Throws<OperationCanceledException>(() => Runner().Run(Settings(), row: TorchStages.Row(TorchStages.Small), stop: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void A_walk_ends_at_the_first_GQA_that_is_slower_and_skips_what_lies_beyond()
    {
        // A thousand times the reference's heads; the next would be fast again.
        DecoderShape reference = TorchStages.Small, slow = reference with { Heads = 4000, KvHeads = 500 }, beyond = reference with { Heads = 20, KvHeads = 1 }, below = reference with { KvHeads = 4 };
        DecoderShape other = reference with { Intermediate = 48 };
        var rows = new[] { beyond, reference, below, slow }.Select(s => Row(s, "2")).Append(Row(other, "")).ToList();

        var tables = Runner().RunBatch(Settings(), rows).Select(r => r.Table("speed.csv")).ToList();

        Assert.Equal(["skipped", "measured", "skipped", "measured", "measured"], tables.Select(t => t[0].Text("source")));
        Assert.Equal(["", "", "0", "true"], Cells(tables[0][0], "tokens_per_second", "time_to_first_token", "repeats", "tied"));

        // Its reference's row is in the store: 4 and 2 heads are timed again beside it.
        Assert.Equal("measured", Runner().RunBatch(Settings(), [Row(reference with { Heads = 5, KvHeads = 1 }, "2")])[0].Table("speed.csv")[0].Text("source"));
    }

    [Fact]
    public void Where_a_walk_starts_must_be_a_whole_number()
    {
        var failure = Assert.Throws<StageFailedException>(() => Runner().RunBatch(Settings(), [Row(TorchStages.Small, "two")]));

        Assert.Equal("SCAL3103", failure.Diagnostics[0].Code);
    }

    [Theory]
    [InlineData("hidden", "wide", "SCAL3103")]
    [InlineData("kv_heads", "0", "SCAL7404")]
    [InlineData("kv_heads", "3", "SCAL7404")]
    [InlineData("head_size", "7", "SCAL7404")]
    public void A_row_of_the_user_that_is_no_shape_is_refused(string column, string cell, string code)
    {
        var row = TorchStages.Row(TorchStages.Small).ToDictionary();
        row[column] = cell;

        var failure = Assert.Throws<StageFailedException>(() => Runner().Run(Settings(), row: row));

        Assert.Equal(code, failure.Diagnostics[0].Code);
    }

    [Fact]
    public void The_anchor_is_the_same_in_every_batch()
    {
        var first = Runner().RunBatch(Settings(), [Row(TorchStages.Small, ""), Row(TorchStages.Small with { Layers = 3 }, "")]);
        var second = Runner().RunBatch(Settings(), [Row(TorchStages.Small with { Layers = 4 }, "")]);

        Assert.All(first.Concat(second), r => Assert.Equal(AnchorShape.OnProcessor.Id, r.Table("speed.csv")[0].Text("anchor")));
        var anchor = Runner().RunBatch(Settings(), [Row(AnchorShape.OnProcessor, "")])[0].Table("speed.csv")[0];
        Assert.Equal(["1", "1", "1"], Cells(anchor, "relative_speed", "relative_speed_low", "relative_speed_high"));
        Assert.Equal([AnchorShape.OnGpu, AnchorShape.OnProcessor], new[] { true, false }.Select(fits => AnchorShape.Of(ComputeDevice.Cuda, _ => fits)));
    }

    [Fact]
    public void The_interval_of_a_median_holds_it_and_closes_as_runs_agree()
    {
        // The median of 1..9 is 5; a binomial interval of at least 95 % runs from the 2nd to the 8th value (Conover 1999, section 3.2).
        var spread = Median.Of([9, 1, 8, 2, 7, 3, 6, 4, 5]);
        Assert.Equal(5, spread.Value);
        Assert.InRange(spread.Low, 2, 3);
        Assert.InRange(spread.High, 7, 8);

        Assert.Equal(new Median(4, 4, 4), Median.Of([4, 4, 4, 4]));
        Assert.Equal(2.5, Median.Of([1, 4, 2, 3]).Value);
    }

    private static Dictionary<string, string> Row(DecoderShape shape, string walkFrom) => new(TorchStages.Row(shape)) { ["walk_from"] = walkFrom };

    private static IEnumerable<string> Cells(Row row, params string[] columns) => columns.Select(row.Text);

    private StageRunner Runner() => new(new MeasureStage(), _folder) { NativeFolders = TorchStages.NativeFolders };

    private static JsonObject Settings() => new()
    {
        ["workload"] = new JsonObject { ["prompt"] = 8, ["output"] = 8, ["batch"] = 2 },
        ["repeats"] = 5,
        ["warmup"] = 1,
    };
}
