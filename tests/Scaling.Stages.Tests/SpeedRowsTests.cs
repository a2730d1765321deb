// How a search reads speed.csv: rows that a walk over GQA did not reach, and rows of several batches.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SpeedRowsTests
{
    private static readonly string[] Columns = [.. MeasureTables.Speed.Select(c => c.Name)];

    [Fact]
    public void A_search_calibrates_on_the_rows_that_have_a_speed()
    {
        using var folder = new TemporaryFolder();
        DecoderShape reached = TorchStages.Small, beyond = reached with { Heads = 5, KvHeads = 1 };
        new Table(Columns, [Row(beyond, "skipped"), Row(reached, "measured")]).Write(folder["speed.csv"]);

        Assert.Equal(reached, Assert.Single(SpeedRows.Read(folder["speed.csv"]).Rows).Measured.Shape);
    }

    [Fact]
    public void Rows_of_two_batches_are_told_at_one_speed_of_their_anchor()
    {
        // The anchor made 50 tokens a second in one batch and 80 in the other, so the second shape, with more tokens a second, is the slower of the two.
        using var folder = new TemporaryFolder();
        DecoderShape fast = TorchStages.Small, slow = fast with { Heads = 5, KvHeads = 1 };
        new Table(Columns, [Row(fast, "measured", "100", "2"), Row(slow, "measured", "120", "1.5")]).Write(folder["speed.csv"]);

        var rows = SpeedRows.Read(folder["speed.csv"]).Rows;
        Assert.Equal([130, 97.5], rows.Select(r => r.TokensPerSecond));
        Assert.Equal(117, rows[0].Interval.Low, 1e-9);
        Assert.Equal(143, rows[0].Interval.High, 1e-9);
        Assert.Equal(0.5 * 100 / 130, rows[0].Measured.TimeToFirstToken, 1e-12);
    }

    private static string[] Row(DecoderShape shape, string source, string rate = "0.5", string relative = "1") =>
        [.. Columns.Select(column => Vocabulary.ShapeTerms.Select(t => t.Name).ToList().IndexOf(column) is >= 0 and var i ? Table.Cell(shape.Cells()[i]) : column switch
        {
            "prompt" or "output" or "batch" => "8",
            "tensor_parallel" or "peak_flops" => "1",
            "device" => "cpu",
            "anchor" => "b2828c9e",
            "kv_bytes_per_token" => Table.Cell(4 * shape.KvElementsPerToken),
            "weight_bytes" => Table.Cell(4 * shape.ParametersTotal),
            "source" => source,
            _ when source == "skipped" => "",
            "tokens_per_second" => rate,
            "tokens_per_second_low" => Table.Cell(0.9 * double.Parse(rate, System.Globalization.CultureInfo.InvariantCulture)),
            "tokens_per_second_high" => Table.Cell(1.1 * double.Parse(rate, System.Globalization.CultureInfo.InvariantCulture)),
            "relative_speed" => relative,
            _ => "0.5",
        })];
}
