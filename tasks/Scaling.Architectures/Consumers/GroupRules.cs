// Query heads share key/value heads evenly: what every consumer demands, each in its own place.
namespace Scaling.Architectures;

internal static class GroupRules
{
    public static readonly ConsumerRule Transformers = Groups("transformers, repeat_kv of modeling_llama.py: each key/value head is repeated a whole number of times");

    public static readonly ConsumerRule Vllm = Groups("vLLM, the assertion of Attention.__init__");

    public static readonly ConsumerRule Ggml = Groups("llama.cpp, ggml_can_mul_mat: queries are broadcast over whole groups");

    public static readonly ConsumerRule Torchtitan = Groups("torchtitan 0.2.2, repeat_kv of models/llama3/model/model.py");

    public static readonly ConsumerRule LitGpt = Groups("LitGPT 0.5.13, the assertion of Config.__post_init__");

    private static ConsumerRule Groups(string source) => new(
        "groups", RuleEffect.Refuses, "The number of query heads is a multiple of the number of key/value heads.", source,
        (shape, _) => shape.Heads % shape.KvHeads == 0 ? null : $"{shape.Heads} query heads are no multiple of {shape.KvHeads} key/value heads");
}
