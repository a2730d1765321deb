// What splitting a layer over t devices demands.
namespace Scaling.Architectures;

internal static class ParallelRules
{
    public static readonly ConsumerRule VllmHeads = Heads("vLLM, LlamaAttention.__init__");

    public static readonly ConsumerRule MegatronHeads = Heads("Megatron-LM, TransformerConfig.__post_init__");

    public static readonly ConsumerRule TorchtitanHeads = Heads("torchtitan, apply_tp: each device views its part of the projection as whole heads; later versions check it (Decoder.Config.update_from_config)");

    public static readonly ConsumerRule VllmKvHeads = KvHeadsOrCopies("vLLM, LlamaAttention.__init__");

    public static readonly ConsumerRule MegatronKvHeads = KvHeadsOrCopies("Megatron-LM, TransformerConfig.__post_init__");

    public static readonly ConsumerRule TorchtitanKvHeads = new(
        "kv-heads-split", RuleEffect.Refuses, "The number of key/value heads is a multiple of the tensor-parallel degree.", TorchtitanHeads.Source,
        (shape, t) => shape.KvHeads % t == 0 ? null : $"{shape.KvHeads} key/value heads are no multiple of {t} devices");

    public static readonly ConsumerRule VllmMlp = Mlp("vLLM, divide in ColumnParallelLinear and RowParallelLinear");

    public static readonly ConsumerRule MegatronMlp = Mlp("Megatron-LM, divide in ColumnParallelLinear and RowParallelLinear");

    private static ConsumerRule Heads(string source) => new(
        "heads-split", RuleEffect.Refuses, "The number of query heads is a multiple of the tensor-parallel degree.", source,
        (shape, t) => shape.Heads % t == 0 ? null : $"{shape.Heads} query heads are no multiple of {t} devices");

    private static ConsumerRule KvHeadsOrCopies(string source) => new(
        "kv-heads-split", RuleEffect.Refuses,
        "The number of key/value heads is a multiple of the tensor-parallel degree, or divides it and each is copied.", source,
        (shape, t) => shape.KvHeads % t == 0 || t % shape.KvHeads == 0 ? null : $"{shape.KvHeads} key/value heads neither are a multiple of {t} devices nor divide them");

    private static ConsumerRule Mlp(string source) => new(
        "mlp-split", RuleEffect.Refuses, "The intermediate size is a multiple of the tensor-parallel degree.", source,
        (shape, t) => shape.Intermediate % t == 0 ? null : $"intermediate size {shape.Intermediate} is no multiple of {t} devices");
}
