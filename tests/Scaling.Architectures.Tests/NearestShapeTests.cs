// The nearest shape that a consumer takes: of the same size and depth, near, and no other nearer.
namespace Scaling.Architectures.Tests;

public class NearestShapeTests
{
    private static readonly Consumer TransformersFive = Consumer.Named("transformers-5")!;

    public static TheoryData<string> Winners => ["Panda1B", "Surefire1B", "Panda3B", "Surefire3B"];

    [Theory]
    [MemberData(nameof(Winners))]
    public void The_winners_of_the_paper_have_neighbours_that_transformers_5_takes(string name)
    {
        var winner = Named(name);

        var neighbour = NearestShape.Of(winner, s => TransformersFive.Broken(s, 1).Count == 0, loss: null)!;

        Assert.Empty(TransformersFive.Broken(neighbour, 1));
        Assert.Null(neighbour.Flaw);
        Assert.Equal((winner.Layers, winner.HeadSize, winner.Vocabulary, winner.Tied, winner.Gqa), (neighbour.Layers, neighbour.HeadSize, neighbour.Vocabulary, neighbour.Tied, neighbour.Gqa));
        Assert.InRange((double)neighbour.Parameters / winner.Parameters, 0.99, 1.01);
        Assert.Equal((0, 0), (neighbour.Hidden % 64, neighbour.Intermediate % 64));
        Assert.True(NearestShape.Distance(winner, neighbour) <= 0.2, neighbour.ToString());
    }

    /// <summary>Written apart from the search: every (d, n, f) on the grid, nearest first.</summary>
    [Theory]
    [MemberData(nameof(Winners))]
    public void No_shape_of_the_grid_is_nearer(string name)
    {
        var winner = Named(name);
        int gqa = winner.Heads / winner.KvHeads;
        double nearest = double.PositiveInfinity;
        for (int hidden = 64; hidden <= 8192; hidden += 64)
        {
            for (int heads = gqa; heads <= hidden; heads += gqa)
            {
                for (int intermediate = 64; hidden % heads == 0 && intermediate <= 16_384; intermediate += 64)
                {
                    var shape = winner with { Hidden = hidden, Heads = heads, KvHeads = heads / gqa, Intermediate = intermediate };
                    if (Math.Abs((double)shape.Parameters / winner.Parameters - 1) <= 0.01)
                    {
                        double x = Math.Log((double)hidden / winner.Hidden), r = Math.Log(shape.Ratio / winner.Ratio);
                        nearest = Math.Min(nearest, Math.Sqrt(x * x + r * r));
                    }
                }
            }
        }

        var found = NearestShape.Of(winner, s => TransformersFive.Broken(s, 1).Count == 0, loss: null)!;

        Assert.Equal(nearest, NearestShape.Distance(winner, found), 1e-12);
    }

    [Fact]
    public void Where_a_law_is_known_the_least_loss_of_the_ring_is_taken()
    {
        static double Loss(DecoderShape s) => -s.Hidden;
        var nearest = NearestShape.Of(PublishedShapes.Panda1B, s => TransformersFive.Broken(s, 1).Count == 0, null)!;
        var best = NearestShape.Of(PublishedShapes.Panda1B, s => TransformersFive.Broken(s, 1).Count == 0, Loss)!;
        Assert.Equal((2432, 4352, 76, 19), (nearest.Hidden, nearest.Intermediate, nearest.Heads, nearest.KvHeads));
        Assert.True(best.Hidden >= nearest.Hidden);
        Assert.True(NearestShape.Distance(PublishedShapes.Panda1B, best) <= 0.1);
    }

    [Fact]
    public void Small_shapes_keep_the_multiples_that_they_have()
    {
        var refused = new DecoderShape(2, 60, 104, 16, 8, 8, 256, true);

        var neighbour = NearestShape.Of(refused, s => TransformersFive.Broken(s, 1).Count == 0, null)!;

        Assert.Equal((0, 0), (neighbour.Hidden % 4, neighbour.Intermediate % 4));
        Assert.Equal(8, neighbour.HeadSize);
    }

    [Fact]
    public void Another_head_size_is_tried_only_where_its_own_will_not_do()
    {
        var vllm = Consumer.Named("vllm")!;
        var refused = PublishedShapes.Llama1B with { HeadSize = 100 };

        var neighbour = NearestShape.Of(refused, s => vllm.Slowed(s, 1).All(r => r.Name != "flash-attention"), null)!;

        Assert.Equal(96, neighbour.HeadSize);
    }

    [Fact]
    public void Embeddings_are_untied_where_tied_ones_are_refused()
    {
        var torchtitan = Consumer.Named("torchtitan")!;

        var neighbour = NearestShape.Of(PublishedShapes.Panda1B, s => torchtitan.Broken(s, 1).Count == 0, null)!;

        Assert.False(neighbour.Tied);
        Assert.Equal(neighbour.Hidden, neighbour.Heads * neighbour.HeadSize);
    }

    [Fact]
    public void What_no_width_can_mend_has_no_neighbour() =>
        Assert.Null(NearestShape.Of(PublishedShapes.Llama1B with { Layers = 513 }, s => Consumer.Named("llama.cpp")!.Broken(s, 1).Count == 0, null));

    private static DecoderShape Named(string name) => name switch
    {
        "Panda1B" => PublishedShapes.Panda1B,
        "Surefire1B" => PublishedShapes.Surefire1B,
        "Panda3B" => PublishedShapes.Panda3B,
        _ => PublishedShapes.Surefire3B,
    };
}
