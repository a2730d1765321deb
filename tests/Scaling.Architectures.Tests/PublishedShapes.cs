// The seven shapes that arXiv 2510.18245 publishes (tables 1 and 2; heads derived from the printed x, r and GQA).
namespace Scaling.Architectures.Tests;

internal static class PublishedShapes
{
    private const int LlamaVocabulary = 128_256;

    public static readonly DecoderShape Llama1B = Of(16, 2048, 8192, 32, 8, 64);
    public static readonly DecoderShape Panda1B = Of(16, 2560, 4096, 72, 18, 64);
    public static readonly DecoderShape Surefire1B = Of(16, 2560, 6144, 36, 4, 64);
    public static readonly DecoderShape Llama3B = Of(28, 3072, 8192, 24, 8, 128);
    public static readonly DecoderShape Panda3B = Of(28, 4096, 4096, 36, 12, 128);
    public static readonly DecoderShape Surefire3B = Of(28, 4096, 4096, 42, 6, 128);
    public static readonly DecoderShape Panda3BFromOneSize = Of(28, 4096, 4608, 33, 11, 128);

    public static readonly IReadOnlyList<DecoderShape> All = [Llama1B, Panda1B, Surefire1B, Llama3B, Panda3B, Surefire3B, Panda3BFromOneSize];

    private static DecoderShape Of(int layers, int hidden, int intermediate, int heads, int kvHeads, int headSize) =>
        new(layers, hidden, intermediate, heads, kvHeads, headSize, LlamaVocabulary, true);
}
