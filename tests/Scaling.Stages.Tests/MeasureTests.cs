// The stage `measure` on small shapes, as a worker runs a batch.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.TestKit;

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

    private StageRunner Runner() => new(new MeasureStage(), _folder) { NativeFolders = TorchStages.NativeFolders };

    private static JsonObject Settings() => new()
    {
        ["workload"] = new JsonObject { ["prompt"] = 8, ["output"] = 8, ["batch"] = 2 },
        ["repeats"] = 5,
        ["warmup"] = 1,
    };
}
