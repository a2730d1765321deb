// Shapes from (N, x, ratio, GQA) come back within rounding.
using CsCheck;

namespace Scaling.Architectures.Tests;

public class ShapeGeneratorTests
{
    private static readonly Gen<DecoderShape> Buildable =
        from multiple in Gen.OneOf(4, 64, 128)
        from layers in Gen.Int[1, 40]
        from hidden in Gen.Int[1, 40]
        from intermediate in Gen.Int[1, 120]
        from kvHeads in Gen.Int[1, 16]
        from gqa in Gen.Int[1, 9]
        from headSize in Gen.OneOf(8, 64, 128)
        select new DecoderShape(layers, hidden * multiple, intermediate * multiple, kvHeads * gqa, kvHeads, headSize, 256, true);

    private static readonly Gen<ShapeRequest> Asked =
        from logSize in Gen.Double[Math.Log(8_000), Math.Log(3e9)]
        from layers in Gen.Int[2, 32]
        from x in Gen.Double[0.03, 0.4]
        from ratio in Gen.Double[0.5, 5]
        from gqa in Gen.Int[1, 9]
        from headSize in Gen.OneOf(8, 64, 128)
        from multiple in Gen.OneOf(1, 4, 128)
        select new ShapeRequest(Math.Exp(logSize), layers, x, ratio, gqa, headSize, multiple, 256, true);

    [Fact]
    public void A_shapes_own_numbers_give_that_shape_back() => Buildable.Sample(shape =>
    {
        int multiple = new[] { 128, 64, 4 }.First(m => shape.Hidden % m == 0 && shape.Intermediate % m == 0);
        var (again, reason) = ShapeGenerator.Nearest(new ShapeRequest(
            shape.Parameters, shape.Layers, shape.X, shape.Ratio, (int)shape.Gqa, shape.HeadSize, multiple, shape.Vocabulary, shape.Tied));
        Assert.Null(reason);
        Assert.Equal(shape, again);
    });

    [Fact]
    public void An_asked_shape_misses_each_number_by_no_more_than_its_rounding() => Asked.Sample(ask =>
    {
        var (shape, reason) = ShapeGenerator.Nearest(ask);
        if (shape is null)
        {
            Assert.NotEmpty(reason!);
            return;
        }

        double width = ask.Parameters / (2 * ask.Layers * shape.Hidden * (1 + 1.0 / ask.Gqa) * (1 + ask.Ratio));
        Assert.Equal(0, shape.Hidden % ask.MultipleOf);
        Assert.Equal(0, shape.Intermediate % ask.MultipleOf);
        Assert.Equal(ask.Gqa, shape.Gqa);
        Assert.True(shape.KvHeads >= 1 && shape.Intermediate >= 1);
        Assert.True(Math.Abs(shape.Hidden - ask.X * Math.Sqrt(ask.Parameters)) <= ask.MultipleOf / 2.0 + 1e-6);
        Assert.True(Math.Abs(shape.QueryWidth - width) <= ask.HeadSize * ask.Gqa / 2.0 + 1e-6);
        Assert.True(Math.Abs(shape.Parameters - ask.Parameters) <= 3.0 * ask.Layers * shape.Hidden * ask.MultipleOf / 2 + 1e-6 * ask.Parameters);
    });

    [Fact]
    public void A_size_with_no_room_for_one_group_of_heads_gets_no_shape_and_a_reason()
    {
        var (shape, reason) = ShapeGenerator.Nearest(new ShapeRequest(8_000, 2, 0.36, 4, 4, 8, 4, 256, true));
        Assert.Null(shape);
        Assert.Equal("the query projection would be 10 wide, nearer to 0 than to one group of 4 heads of 8", reason);
    }

    [Fact]
    public void A_size_whose_attention_leaves_nothing_for_the_MLP_gets_no_shape_and_a_reason()
    {
        var (shape, reason) = ShapeGenerator.Nearest(new ShapeRequest(8_000, 2, 0.36, 0.1, 1, 48, 4, 256, true));
        Assert.Null(shape);
        Assert.StartsWith("attention alone takes", reason);
    }

    [Fact]
    public void A_baseline_is_built_from_its_hidden_size_and_either_its_ratio_or_its_MLP()
    {
        var llama = PublishedShapes.Llama1B;
        var request = new ShapeRequest(llama.Parameters, 16, 0, 4.8, 4, 64, 256, llama.Vocabulary, true);
        Assert.Equal(llama, ShapeGenerator.WithHidden(request, 2048).Shape);
        Assert.Equal(llama, ShapeGenerator.WithHiddenAndIntermediate(request with { Ratio = 0 }, 2048, 8192).Shape);
    }
}
