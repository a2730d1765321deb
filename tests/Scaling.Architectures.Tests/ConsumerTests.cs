// Consumers: every rule takes one shape and faults another, and the paper's winners are refused where they are.
namespace Scaling.Architectures.Tests;

public class ConsumerTests
{
    /// <summary>Any consumer at any degree below takes it, and nothing slows it: square, untied, 16 layers, multiples of 256.</summary>
    private static readonly DecoderShape Plain = new(16, 2048, 8192, 32, 8, 64, 128_256, Tied: false);

    private static readonly string[] Expected = ["transformers-4", "transformers-5", "vllm", "llama.cpp", "megatron", "torchtitan", "litgpt"];

    [Fact]
    public void Every_consumer_is_found_by_its_name_and_no_other_is()
    {
        Assert.Equal(Expected, Consumer.All.Select(c => c.Name));
        Assert.All(Consumer.All, c => Assert.Same(c, Consumer.Named(c.Name)));
        Assert.Null(Consumer.Named("transformers"));
    }

    [Fact]
    public void Rules_have_names_of_their_own_a_sentence_and_a_source() => Assert.All(Consumer.All, consumer =>
    {
        Assert.Equal(consumer.Rules.Count, consumer.Rules.Select(r => r.Name).Distinct().Count());
        Assert.All(consumer.Rules, r => Assert.EndsWith(".", r.Sentence));
        Assert.All(consumer.Rules, r => Assert.NotEmpty(r.Source));
        Assert.Equal(consumer.Rules.OrderBy(r => r.Effect), consumer.Rules);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void A_plain_shape_is_taken_by_all_and_slowed_by_none(int tensorParallel) => Assert.All(Consumer.All, consumer =>
    {
        Assert.Empty(consumer.Broken(Plain, tensorParallel));
        Assert.Empty(consumer.Slowed(Plain, tensorParallel));
    });

    /// <summary>What breaks each rule: a change of the plain shape, which passes it.</summary>
    [Theory]
    [InlineData("transformers-4", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("transformers-5", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("transformers-5", "hidden-over-heads", "hidden=2560 heads=72 kv_heads=18", 1, "hidden size 2560 is no multiple of 72 heads")]
    [InlineData("vllm", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("vllm", "heads-split", "heads=36 kv_heads=12", 8, "36 query heads are no multiple of 8 devices")]
    [InlineData("vllm", "kv-heads-split", "heads=48 kv_heads=12", 8, "12 key/value heads neither are a multiple of 8 devices nor divide them")]
    [InlineData("vllm", "mlp-split", "intermediate=8190", 4, "intermediate size 8190 is no multiple of 4 devices")]
    [InlineData("vllm", "flash-attention", "head_size=100", 1, "head size 100 is no multiple of 8")]
    [InlineData("vllm", "flash-attention", "head_size=264", 1, "head size 264 is above 256")]
    [InlineData("vllm", "tensor-cores", "hidden=2080", 1, "hidden size 2080 is no multiple of 64")]
    [InlineData("vllm", "tiles", "intermediate=8256", 1, "intermediate size 8256 is no multiple of 128")]
    [InlineData("vllm", "tiles", "intermediate=8448", 8, "intermediate size over 8 devices 1056 is no multiple of 128")]
    [InlineData("llama.cpp", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("llama.cpp", "layers", "layers=513", 1, "513 layers are more than 512")]
    [InlineData("llama.cpp", "k-quant-blocks", "heads=33 kv_heads=11", 1, "query width 2112 is no multiple of 256")]
    [InlineData("llama.cpp", "quant-blocks", "hidden=2056 intermediate=8200", 1, "hidden size 2056 and intermediate size 8200 are no multiples of 32")]
    [InlineData("megatron", "heads-split", "heads=36 kv_heads=12", 8, "36 query heads are no multiple of 8 devices")]
    [InlineData("megatron", "kv-heads-split", "heads=48 kv_heads=12", 8, "12 key/value heads neither are a multiple of 8 devices nor divide them")]
    [InlineData("megatron", "mlp-split", "intermediate=8190", 4, "intermediate size 8190 is no multiple of 4 devices")]
    [InlineData("megatron", "tensor-cores", "hidden=2080", 1, "hidden size 2080 is no multiple of 64")]
    [InlineData("megatron", "tiles", "hidden=2112", 1, "hidden size 2112 is no multiple of 128")]
    [InlineData("torchtitan", "square", "hidden=2304", 1, "hidden size 2304 is not 32 heads of 64, and its head size is the hidden size over the heads")]
    [InlineData("torchtitan", "untied", "tied=1", 1, "its embeddings are tied")]
    [InlineData("torchtitan", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("torchtitan", "heads-split", "heads=36 kv_heads=12", 8, "36 query heads are no multiple of 8 devices")]
    [InlineData("torchtitan", "kv-heads-split", "kv_heads=4", 8, "4 key/value heads are no multiple of 8 devices")]
    [InlineData("torchtitan", "tensor-cores", "hidden=2080", 1, "hidden size 2080 is no multiple of 64")]
    [InlineData("torchtitan", "tiles", "hidden=2112", 1, "hidden size 2112 is no multiple of 128")]
    [InlineData("litgpt", "groups", "kv_heads=5", 1, "32 query heads are no multiple of 5 key/value heads")]
    [InlineData("litgpt", "tensor-cores", "hidden=2080", 1, "hidden size 2080 is no multiple of 64")]
    [InlineData("litgpt", "tiles", "hidden=2112", 1, "hidden size 2112 is no multiple of 128")]
    public void A_shape_that_breaks_a_rule_is_told_so(string name, string rule, string change, int tensorParallel, string fault)
    {
        var consumer = Consumer.Named(name)!;
        var shape = Changed(change);

        var broken = Assert.Single(consumer.Broken(shape, tensorParallel).Concat(consumer.Slowed(shape, tensorParallel)), r => r.Name == rule);

        Assert.Equal(fault, broken.Fault(shape, tensorParallel));
        Assert.Null(broken.Fault(Plain, tensorParallel));
    }

    [Fact]
    public void Every_rule_has_such_a_shape()
    {
        var tried = typeof(ConsumerTests).GetMethod(nameof(A_shape_that_breaks_a_rule_is_told_so))!.GetCustomAttributes(typeof(InlineDataAttribute), false)
            .Select(a => ((InlineDataAttribute)a).GetData(null!).Single()).Select(d => $"{d[0]} {d[1]}").ToHashSet();
        Assert.All(Consumer.All.SelectMany(c => c.Rules.Select(r => $"{c.Name} {r.Name}")), rule => Assert.Contains(rule, tried));
    }

    /// <summary>Key/value heads are copied where there are fewer than devices, but not by torchtitan.</summary>
    [Fact]
    public void Few_key_value_heads_are_copied_to_the_devices()
    {
        var shape = Plain with { KvHeads = 4 };
        Assert.Empty(Consumer.Named("vllm")!.Broken(shape, 8));
        Assert.Empty(Consumer.Named("megatron")!.Broken(shape, 8));
        Assert.NotEmpty(Consumer.Named("torchtitan")!.Broken(shape, 8));
    }

    [Fact]
    public void The_four_winners_of_the_paper_are_refused_by_transformers_5_and_by_no_other_that_loads_them()
    {
        foreach (var shape in (DecoderShape[])[PublishedShapes.Panda1B, PublishedShapes.Surefire1B, PublishedShapes.Panda3B, PublishedShapes.Surefire3B])
        {
            Assert.Equal("hidden-over-heads", Assert.Single(Consumer.Named("transformers-5")!.Broken(shape, 1)).Name);
            Assert.All((string[])["transformers-4", "vllm", "llama.cpp", "megatron", "litgpt"], name => Assert.Empty(Consumer.Named(name)!.Broken(shape, 1)));
            Assert.Contains(Consumer.Named("torchtitan")!.Broken(shape, 1), r => r.Name == "square");
        }

        Assert.Empty(Consumer.Named("transformers-5")!.Broken(PublishedShapes.Llama1B, 1));
        Assert.Empty(Consumer.Named("transformers-5")!.Broken(PublishedShapes.Llama3B, 1));
    }

    private static DecoderShape Changed(string changes)
    {
        var shape = Plain;
        foreach (string change in changes.Split(' '))
        {
            string[] pair = change.Split('=');
            int value = int.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture);
            shape = pair[0] switch
            {
                "layers" => shape with { Layers = value },
                "hidden" => shape with { Hidden = value },
                "intermediate" => shape with { Intermediate = value },
                "heads" => shape with { Heads = value },
                "kv_heads" => shape with { KvHeads = value },
                "head_size" => shape with { HeadSize = value },
                _ => shape with { Tied = value == 1 },
            };
        }

        return shape;
    }
}
