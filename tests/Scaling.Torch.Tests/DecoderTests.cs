// The network against its closed form, against an independent implementation, and against itself with a cache.
using Scaling.Architectures;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class DecoderTests
{
    public DecoderTests() => Libtorch.Load();

    public static TheoryData<DecoderShape> Shapes =>
    [
        new DecoderShape(2, 16, 40, 4, 2, 8, 61, Tied: true), // the projection is twice as wide as the residual stream
        new DecoderShape(3, 24, 8, 2, 2, 4, 50, Tied: false), // narrower than it, one query head a key/value head
        new DecoderShape(1, 12, 20, 6, 1, 6, 256, Tied: true), // multi-query
        new DecoderShape(2, 20, 12, 6, 2, 2, 33, Tied: false), // the smallest head that rotates
    ];

    [Theory, MemberData(nameof(Shapes))]
    public void The_built_network_holds_as_many_parameters_as_its_shape_says(DecoderShape shape)
    {
        using var weights = new DecoderWeights(shape, seed: 1);

        Assert.Equal(shape.ParametersTotal, weights.All.Sum(p => p.NumberOfElements));
        Assert.Equal(shape.Parameters, weights.Matrices.Sum(p => p.NumberOfElements));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Logits_equal_those_of_an_independent_implementation_that_reads_the_exported_file(DecoderShape shape)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var weights = Lively(shape);
        using var decoder = new Decoder(weights, positions: 9);
        weights.Write(folder["weights.safetensors"]);
        var reference = new ReferenceDecoder(shape, folder["weights.safetensors"]);
        int[] tokens = [.. Enumerable.Range(0, 9).Select(t => t * 7 % shape.Vocabulary)];

        float[] logits = decoder.Logits(tensor(tokens.Select(t => (long)t).ToArray(), [1, 9])).data<float>().ToArray();

        double[] expected = [.. reference.Logits(tokens).SelectMany(l => l)];
        Assert.Equal(shape.ParametersTotal, reference.Count);
        Assert.True(expected.Max() - expected.Min() > 0.5, "the logits must tell something");
        // float32 carries 6e-8 relative; a few hundred additions of numbers of size 1 leave some 1e-6.
        Assert.All(expected.Zip(logits), pair => Assert.Equal(pair.First, pair.Second, 2e-5));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Reading_token_by_token_with_a_cache_gives_the_logits_of_reading_all_at_once(DecoderShape shape)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var weights = Lively(shape);
        using var decoder = new Decoder(weights, positions: 12);
        using var cache = new KeyValueCache(shape, batch: 2, positions: 12);
        var tokens_BT = tensor(Enumerable.Range(0, 24).Select(t => (long)(t * 5 % shape.Vocabulary)).ToArray(), [2, 12]);
        var whole_BTV = decoder.Logits(tokens_BT);

        for (int round = 0; round < 2; round++)
        {
            cache.Clear();
            AssertNear(whole_BTV.select(1, 4), decoder.NextLogits(tokens_BT.narrow(1, 0, 5), cache));
            for (int t = 5; t < 12; t++)
            {
                AssertNear(whole_BTV.select(1, t), decoder.NextLogits(tokens_BT.narrow(1, t, 1), cache));
            }
        }
    }

    [Fact]
    public void Products_of_many_positions_are_those_of_the_graph_that_learns()
    {
        using var scope = NewDisposeScope();
        var shape = new DecoderShape(1, 64, 256, 4, 2, 16, 128, Tied: false);
        using var weights = new DecoderWeights(shape, seed: 3);
        using var decoder = new Decoder(weights, positions: 64);
        var tokens_BT = tensor(Enumerable.Range(0, 512).Select(t => (long)(t * 7 % shape.Vocabulary)).ToArray(), [8, 64]);
        var learning_BTV = decoder.Logits(tokens_BT).detach();

        using var noGradients = no_grad();

        AssertNear(learning_BTV, decoder.Logits(tokens_BT));
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        var shape = new DecoderShape(1, 8, 8, 2, 1, 4, 16, Tied: true);
        using var first = new DecoderWeights(shape, 7);
        using var again = new DecoderWeights(shape, 7);
        using var other = new DecoderWeights(shape, 8);

        Assert.True(first.Embedding_VD.equal(again.Embedding_VD).all().item<bool>());
        Assert.False(first.Embedding_VD.equal(other.Embedding_VD).all().item<bool>());
    }

    [Fact]
    public void A_workload_runs_to_its_end_and_takes_time()
    {
        DecoderShape small = new(2, 16, 40, 4, 2, 8, 256, Tied: true), large = new(3, 64, 100, 8, 2, 8, 256, Tied: false);
        var workload = new Workload(Prompt: 8, Output: 4, Batch: 2) { Weights = DataType.Float32, KvCache = DataType.Float32 };
        using var memory = new WorkloadMemory([large, small], workload, ComputeDevice.Cpu);
        using var first = new WorkloadTiming(small, memory);
        using var second = new WorkloadTiming(large, memory);

        Assert.All([first.Run(), second.Run(), first.Run()], time => Assert.True(time is { TimeToFirstToken: > 0, DecodeSeconds: > 0 }));
        Assert.InRange(second.PeakMemory()!.Value, 4 * large.ParametersTotal + 4 * large.KvElementsPerToken * 2 * 12, 1L << 30);
        Assert.Throws<OperationCanceledException>(() => first.Run(new CancellationToken(canceled: true)));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Weights_that_are_views_of_a_vector_fill_their_shapes_and_do_not_overlap(DecoderShape shape)
    {
        using var scope = NewDisposeScope();
        using var numbers_P = zeros(DecoderWeights.NumbersOf(shape));
        using var weights = new DecoderWeights(shape, numbers_P);
        using var built = new DecoderWeights(shape, seed: 1);

        foreach (var matrix in weights.Matrices.Append(weights.Embedding_VD).Concat(shape.Tied ? [] : [weights.Head_VD]))
        {
            matrix.add_(1);
        }

        Assert.Equal(built.All.Select(p => p.shape), weights.All.Select(p => p.shape));
        Assert.All(weights.All, p => Assert.True(p.equal(ones_like(p)).all().item<bool>()));
        Assert.Equal(shape.ParametersTotal - (2 * shape.Layers + 1) * shape.Hidden, (long)numbers_P.sum().item<float>());
    }

    /// <summary>Weights large enough that every part of the network shows in the logits.</summary>
    internal static DecoderWeights Lively(DecoderShape shape)
    {
        var weights = new DecoderWeights(shape, seed: 3);
        using var random = new Generator(5, CPU);
        foreach (var parameter in weights.All)
        {
            using var noise = randn(parameter.shape, generator: random);
            parameter.add_(noise, 0.2);
        }

        return weights;
    }

    // The cached path adds the same float32 products in another order.
    private static void AssertNear(Tensor expected, Tensor actual) => Assert.InRange((expected - actual).abs().max().item<float>(), 0, 2e-5f);
}
