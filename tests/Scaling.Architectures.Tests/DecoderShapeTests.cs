// Counts of a shape, held against published tables.
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Architectures.Tests;

public class DecoderShapeTests
{
    // N and r: computed by the note's author from the printed shapes; x: printed, cut to three digits; KV: bytes a token in bf16.
    public static TheoryData<int, long, double, double, double, long> Published => new()
    {
        { 0, 973_078_528, 0.066, 4.8, 4, 32_768 },
        { 1, 975_175_680, 0.082, 1.0667, 4, 73_728 },
        { 2, 964_689_920, 0.082, 3.6, 9, 16_384 },
        { 3, 2_818_572_288, 0.058, 3, 3, 114_688 },
        { 4, 2_818_572_288, 0.077, 1, 3, 172_032 },
        { 5, 2_818_572_288, 0.077, 1, 7, 86_016 },
        { 6, 2_877_292_544, 0.076, 1.2273, 3, 157_696 },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void A_published_shape_has_its_printed_parameters_x_ratio_and_cache(int model, long parameters, double x, double ratio, double gqa, long kvBytes)
    {
        var shape = PublishedShapes.All[model];
        Assert.Equal(parameters, shape.Parameters);
        Assert.Equal(x, shape.X, 0.0006); // three digits, rounded or cut
        Assert.Equal(ratio, shape.Ratio, 0.00005);
        Assert.Equal(gqa, shape.Gqa);
        Assert.Equal(kvBytes, InferenceCost.KvBytesPerToken(shape, 2));

        // The same cache from N, d, GQA and r alone: N / (d·(GQA + 1)·(1 + r)) elements.
        Assert.Equal(kvBytes, 2 * parameters / (shape.Hidden * (gqa + 1) * (1 + shape.Ratio)), 1e-6 * kvBytes);
    }

    [SharedDataFact]
    public void The_published_table_agrees_with_the_shapes_it_lists()
    {
        var table = Table.Read(SharedData.File("paper/published_architectures.csv"));
        Assert.Equal(7, table.Rows.Count);
        foreach (var row in table.Each())
        {
            var shape = new DecoderShape(
                row.Count("n_layers"), row.Count("d_model"), row.Count("f_size"), row.Count("n_heads_inferred"), row.Count("n_kv_inferred"),
                row.Count("d_head"), 128_256, true);
            Assert.Contains(shape, PublishedShapes.All);
            Assert.Equal(row.Whole("N_nonembed_computed"), shape.Parameters);
            Assert.Equal(row.Number("r_computed"), shape.Ratio, 0.00005);
            Assert.Equal(row.Number("d_over_sqrtN_printed"), shape.X, 0.0006);
            Assert.Equal(row.Number("gqa"), shape.Gqa);
        }
    }

    [Fact]
    public void Llama_3_2_1B_holds_the_parameters_that_its_model_card_states()
    {
        // 1,235,814,400 parameters: the sum over the tensors of meta-llama/Llama-3.2-1B.
        Assert.Equal(1_235_814_400, PublishedShapes.Llama1B.ParametersTotal);
    }

    [Fact]
    public void A_shape_written_to_a_row_reads_back()
    {
        var shape = PublishedShapes.Surefire1B;
        var cells = Vocabulary.ShapeTerms.Zip(shape.Cells(), (t, v) => (t.Name, Text: Table.Cell(v))).ToDictionary(c => c.Name, c => c.Text);
        Assert.Equal(shape, DecoderShape.FromCells(c => int.Parse(cells[c]), c => bool.Parse(cells[c])));
        Assert.Equal(shape.Id, cells["shape"]);
        Assert.NotEqual(shape.Id, (shape with { Tied = false }).Id);
    }
}
