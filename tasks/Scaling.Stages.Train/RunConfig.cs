// The Hugging Face configuration of what a row trains.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

internal static class RunConfig
{
    /// <summary>Writes it; rotary base and ε are those of the decoder here.</summary>
    public static void Write(StageContext<TrainSettings> context, DecoderShape shape, string path) =>
        File.WriteAllText(path, HuggingFaceConfig.Of(shape, new HuggingFaceOptions
        {
            MaxPositionEmbeddings = context.Settings.Context,
            RopeTheta = Decoder.RotaryBase,
            RmsNormEps = Decoder.NormEpsilon,
            DataType = "float32",
        }));
}
