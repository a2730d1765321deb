// What a pipeline can say to `export`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>The formats, and what a configuration says beyond the shape.</summary>
public sealed record ExportSettings
{
    [Description("Formats of the configurations.")]
    [Choice("huggingface", "config.json, which transformers, vLLM and llama.cpp's converter read")]
    [Choice("torchtitan", "torchtitan.json, the fields of torchtitan 0.2's TransformerModelArgs")]
    [Choice("megatron", "megatron.args, flags of Megatron-LM")]
    [Choice("litgpt", "model_config.yaml, which LitGPT 0.5 reads")]
    [Choice("props", "architecture.props, for MSBuild")]
    [AllowedValues("huggingface", "torchtitan", "megatron", "litgpt", "props"), MinLength(1)]
    public IReadOnlyList<string> Formats { get; init; } = ["huggingface"];

    [Description("Programs that are to take the shapes; each is held against its rules. Empty: none.")]
    [AllowedValues("transformers-4", "transformers-5", "vllm", "llama.cpp", "megatron", "torchtitan", "litgpt")]
    public IReadOnlyList<string> Consumers { get; init; } = ["transformers-5", "vllm"];

    [Description("Devices that share each layer, where a consumer splits layers. Absent: as many as the search's workload has.")]
    [Unit("devices"), Range(1, 1024)]
    public int? TensorParallel { get; init; }

    [Description("Title of the report.")]
    public string Title { get; init; } = "Architecture study";

    [Description("Results of lm-evaluation-harness on the runs' models, to set accuracy against loss in the report: its files results_*.json. Absent: the runs' own accuracies alone, where they have any.")]
    public FileSet? LmEval { get; init; }

    [Description("The longest sequence that the model is to see.")]
    [Unit("tokens"), Range(1, 1_000_000_000)]
    public int MaxPositionEmbeddings { get; init; } = 2048;

    [Description("Base of the rotary positions' wavelengths.")]
    [Unit("1"), Range(1.0, 1e12)]
    public double RopeTheta { get; init; } = 10_000;

    [Description("What RMSNorm adds to the mean square.")]
    [Unit("1"), Range(1e-12, 1e-1)]
    public double RmsNormEps { get; init; } = 1e-5;

    [Description("Standard deviation of the initial weights.")]
    [Unit("1"), Range(1e-6, 1.0)]
    public double InitializerRange { get; init; } = 0.02;

    [Description("Token that begins a text; absent: the tokenizer has none.")]
    [Unit("1")]
    [Range(0, 16_777_215)]
    public int? BosTokenId { get; init; }

    [Description("Token that ends a text; absent: the tokenizer has none.")]
    [Unit("1")]
    [Range(0, 16_777_215)]
    public int? EosTokenId { get; init; }

    [Description("Type of the weights when they are loaded.")]
    [AllowedValues("float32", "bfloat16", "float16")]
    public string DataType { get; init; } = "bfloat16";

    internal HuggingFaceOptions ToOptions() => new()
    {
        MaxPositionEmbeddings = MaxPositionEmbeddings,
        RopeTheta = RopeTheta,
        RmsNormEps = RmsNormEps,
        InitializerRange = InitializerRange,
        BosTokenId = BosTokenId,
        EosTokenId = EosTokenId,
        DataType = DataType,
    };
}
