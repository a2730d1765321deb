// The files that a found shape can be written as, one for each program or build that reads it.
using Scaling.Architectures;

namespace Scaling.Stages.Export;

/// <summary>A format of configurations.</summary>
/// <param name="Name">As the setting <c>formats</c> names it.</param>
/// <param name="File">The file's name within the folder of a pick.</param>
/// <param name="Kind">What a later stage binds to.</param>
/// <param name="Consumer">The consumer without whose rules the format cannot say the shape; null where it says any.</param>
/// <param name="WholeRopeTheta">Whether it takes a base of rotary positions that is a whole number alone.</param>
/// <param name="Text">The file's text.</param>
internal sealed record ConfigurationFormat(string Name, string File, string Kind, string? Consumer, bool WholeRopeTheta, Func<DecoderShape, ExportSettings, string> Text)
{
    /// <summary>Every format that a pipeline can name, the default first.</summary>
    public static IReadOnlyList<ConfigurationFormat> All { get; } =
    [
        new("huggingface", "config.json", "config", null, WholeRopeTheta: false, (shape, settings) => HuggingFaceConfig.Of(shape, settings.ToOptions())),
        new("torchtitan", "torchtitan.json", "torchtitan", "torchtitan", WholeRopeTheta: false, TorchtitanArguments.Of),
        new("megatron", "megatron.args", "megatron", null, WholeRopeTheta: true, MegatronArguments.Of),
        new("litgpt", "model_config.yaml", "litgpt", null, WholeRopeTheta: true, LitGptConfig.Of),
        new("props", "architecture.props", "props", null, WholeRopeTheta: false, ArchitectureProps.Of),
    ];
}
