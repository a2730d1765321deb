// Serving costs and speeds, held against published ratios and a sum over the contexts.
using CsCheck;

namespace Scaling.Architectures.Tests;

public class RooflineTests
{
    private static readonly Roofline H200 = Roofline.Of(Device.H200);

    // Ratios of tokens a second, 4096 in and 1024 out, bf16, e = 1, t0 = 0, on one H200. They were noted to three digits, some of them cut
    // instead of rounded, and whether 1023 or 1024 steps are summed moves them by 2e-4: hence 0.0015.
    [Theory]
    [InlineData(1, 0.985, 0.980)]
    [InlineData(32, 1.358, 1.153)]
    [InlineData(64, 1.460, 1.185)]
    [InlineData(128, 1.533, 1.206)]
    public void Surefire_outruns_Llama_in_batches_and_not_alone(int batch, double at1B, double at3B)
    {
        var workload = new Workload(4096, 1024, batch);
        double Speedup(DecoderShape of, DecoderShape over) => H200.Predict(of, workload).TokensPerSecond / H200.Predict(over, workload).TokensPerSecond;
        Assert.Equal(at1B, Speedup(PublishedShapes.Surefire1B, PublishedShapes.Llama1B), 0.0015);
        Assert.Equal(at3B, Speedup(PublishedShapes.Surefire3B, PublishedShapes.Llama3B), 0.0015);
    }

    [Fact]
    public void Without_its_head_Surefire_outruns_Llama_alone_too()
    {
        double Alone(DecoderShape s) => H200.Predict(s with { Vocabulary = 0 }, new Workload(4096, 1024, 1)).TokensPerSecond;
        Assert.Equal(1.045, Alone(PublishedShapes.Surefire1B) / Alone(PublishedShapes.Llama1B), 0.0005);
        Assert.Equal(1.020, Alone(PublishedShapes.Surefire3B) / Alone(PublishedShapes.Llama3B), 0.0005);
    }

    [Fact]
    public void Flops_alone_rank_Surefire_3B_behind_Llama_3B()
    {
        var workload = new Workload(4096, 1024, 32);
        Assert.True(InferenceCost.DecodeFlops(PublishedShapes.Surefire3B, workload, 4096) > InferenceCost.DecodeFlops(PublishedShapes.Llama3B, workload, 4096));
        Assert.True(InferenceCost.DecodeBytes(PublishedShapes.Surefire3B, workload, 4096) < InferenceCost.DecodeBytes(PublishedShapes.Llama3B, workload, 4096));
    }

    [Fact]
    public void A_causal_prefill_costs_what_its_positions_cost_one_by_one()
    {
        var workload = new Workload(300, 1, 3);
        var shape = PublishedShapes.Panda1B with { Vocabulary = 0 };
        foreach (var counting in Enum.GetValues<AttentionCounting>())
        {
            double oneByOne = Enumerable.Range(1, 300).Sum(c => InferenceCost.DecodeFlops(shape, workload, c, counting));
            Assert.Equal(oneByOne, InferenceCost.PrefillFlops(shape, workload, counting), 1e-9 * oneByOne);
        }
    }

    [Fact]
    public void The_closed_form_equals_the_sum_over_every_decode_step() =>
        (from prompt in Gen.Int[1, 200]
         from output in Gen.Int[2, 200]
         from batch in Gen.Int[1, 64]
         from balance in Gen.Double[0.02, 50]
         select (new Workload(prompt, output, batch), balance)).Sample((workload, balance) =>
    {
        // A ridge near the middle context's intensity, so that memory and arithmetic trade places on the way.
        var shape = new DecoderShape(2, 64, 128, 8, 4, 8, 256, true);
        double middle = workload.Prompt + workload.Output / 2.0;
        double ridge = InferenceCost.DecodeFlops(shape, workload, middle) / InferenceCost.DecodeBytes(shape, workload, middle);
        var roofline = new Roofline(1e-9, 1e-9 * ridge * Math.Pow(balance, 0.01), 1e-7);
        double sum = Enumerable.Range(workload.Prompt + 1, workload.Output - 1).Sum(c => 2e-7 + Math.Max(
            InferenceCost.DecodeBytes(shape, workload, c) * roofline.SecondsPerByte, InferenceCost.DecodeFlops(shape, workload, c) * roofline.SecondsPerFlop));
        Assert.Equal(sum, roofline.Predict(shape, workload).TimePerOutputToken * (workload.Output - 1), 1e-9 * sum);
    });

    [Fact]
    public void Every_device_is_found_by_its_name()
    {
        Assert.All(Device.All, d => Assert.Same(d, Device.Named(d.Name)));
        Assert.Null(Device.Named("h300"));
    }
}
