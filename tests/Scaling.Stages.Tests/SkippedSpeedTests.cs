// Rows of speed.csv that a walk over GQA did not reach.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SkippedSpeedTests
{
    [Fact]
    public void A_search_calibrates_on_the_rows_that_have_a_speed()
    {
        using var folder = new TemporaryFolder();
        DecoderShape reached = TorchStages.Small, beyond = reached with { Heads = 5, KvHeads = 1 };
        string[] columns = [.. MeasureTables.Speed.Select(c => c.Name)];
        string[] Row(DecoderShape shape, string source) =>
            [.. columns.Select(column => Vocabulary.ShapeTerms.Select(t => t.Name).ToList().IndexOf(column) is >= 0 and var i ? Table.Cell(shape.Cells()[i]) : column switch
            {
                "prompt" or "output" or "batch" => "8",
                "tensor_parallel" or "peak_flops" => "1",
                "device" => "cpu",
                "kv_bytes_per_token" => Table.Cell(4 * shape.KvElementsPerToken),
                "weight_bytes" => Table.Cell(4 * shape.ParametersTotal),
                "source" => source,
                _ => source == "skipped" ? "" : "0.5",
            })];
        new Table(columns, [Row(beyond, "skipped"), Row(reached, "measured")]).Write(folder["speed.csv"]);

        Assert.Equal(reached, Assert.Single(SpeedRows.Read(folder["speed.csv"]).Rows).Measured.Shape);
    }
}
