// A space of shapes holds every buildable shape in its bounds, each once.
namespace Scaling.Architectures.Tests;

public class ShapeSpaceTests
{
    private static readonly DecoderShape Middle = new(2, 64, 124, 10, 5, 8, 256, true);

    [Theory]
    [InlineData(HeldQuantity.Parameters)]
    [InlineData(HeldQuantity.ParametersTotal)]
    [InlineData(HeldQuantity.TrainFlops)]
    [InlineData(HeldQuantity.DecodeBytes)]
    public void A_space_holds_just_the_shapes_that_trying_everything_finds(HeldQuantity held)
    {
        var measure = new HeldMeasure(held, new Workload(128, 64, 8), 64);
        var space = new ShapeSpace(measure.Of(Middle), 0.02, [2, 3], [8, 16], [2, 4], 4, 256, true, new Bounds(0.12, 0.4), new Bounds(0.5, 5)) { Held = measure };
        var tried =
            from layers in space.Layers
            from headSize in space.HeadSize
            from gqa in space.Gqa
            from hidden in Enumerable.Range(1, 60).Select(i => 4 * i)
            from intermediate in Enumerable.Range(1, 250).Select(i => 4 * i)
            from kvHeads in Enumerable.Range(1, 40)
            let shape = new DecoderShape(layers, hidden, intermediate, kvHeads * gqa, kvHeads, headSize, 256, true)
            where measure.Of(shape) >= 0.98 * space.Size && measure.Of(shape) <= 1.02 * space.Size
            where shape.X is >= 0.12 and <= 0.4 && shape.Ratio is >= 0.5 and <= 5
            select shape;

        DecoderShape[] found = [.. space.Shapes()];
        Assert.Contains(Middle, found);
        Assert.Equal(found.Length, found.Distinct().Count());
        Assert.True(tried.ToHashSet().SetEquals(found), $"{tried.Count()} tried, {found.Length} found");
    }

    [Fact]
    public void A_space_without_a_bound_on_x_ends()
    {
        var space = new ShapeSpace(1e9, 0.001, [16], [64], [4], 512, 256, true, new Bounds(1e-9, 1e9), new Bounds(0.5, 5));
        Assert.All(space.Shapes(), s => Assert.Equal(1e9, s.Parameters, 1e6));
    }

    [Fact]
    public void What_training_costs_a_token_is_six_times_the_products_and_attention() =>
        Assert.Equal(8.2e9, TrainingCost.FlopsPerToken(PublishedShapes.Llama1B, 4096), 0.05e9);
}
