// A space of shapes holds every buildable shape in its bounds, each once.
namespace Scaling.Architectures.Tests;

public class ShapeSpaceTests
{
    [Fact]
    public void A_space_holds_just_the_shapes_that_trying_everything_finds()
    {
        var space = new ShapeSpace(64_000, 0.02, 2, 8, [2, 4], 4, 256, true, new Bounds(0.12, 0.4), new Bounds(0.5, 5));
        var tried = new HashSet<DecoderShape>();
        foreach (int gqa in space.Gqa)
        {
            for (int hidden = 4; hidden <= 300; hidden += 4)
            {
                for (int intermediate = 4; intermediate <= 2000; intermediate += 4)
                {
                    for (int kvHeads = 1; kvHeads <= 60; kvHeads++)
                    {
                        var shape = new DecoderShape(2, hidden, intermediate, kvHeads * gqa, kvHeads, 8, 256, true);
                        if (Math.Abs(shape.Parameters - 64_000) <= 0.02 * 64_000 && shape.X is >= 0.12 and <= 0.4 && shape.Ratio is >= 0.5 and <= 5)
                        {
                            tried.Add(shape);
                        }
                    }
                }
            }
        }

        DecoderShape[] found = [.. space.Shapes()];
        Assert.NotEmpty(found);
        Assert.Equal(found.Length, found.Distinct().Count());
        Assert.True(tried.SetEquals(found), $"{tried.Count} tried, {found.Length} found");
    }

    [Fact]
    public void A_space_without_a_bound_on_x_ends()
    {
        var space = new ShapeSpace(1e9, 0.001, 16, 64, [4], 512, 256, true, new Bounds(1e-9, 1e9), new Bounds(0.5, 5));
        Assert.All(space.Shapes(), s => Assert.Equal(1e9, s.Parameters, 1e6));
    }
}
