// How text is cut into pieces before byte pairs are merged within them.
using System.Text.RegularExpressions;

namespace Scaling.Torch;

/// <summary>Patterns of published tokenizers (https://github.com/openai/tiktoken, tiktoken_ext/openai_public.py).</summary>
public enum PiecePattern
{
    /// <summary>GPT-4's and Llama 3's: words with the character before them, numbers by up to three digits.</summary>
    Cl100k,

    /// <summary>GPT-2's and GPT-3's: words and numbers with the space before them.</summary>
    Gpt2,

    /// <summary>GPT-4o's: as GPT-4's, and words end before a capital after small letters.</summary>
    O200k,
}

internal static partial class PiecePatterns
{
    public static Regex Regex(this PiecePattern pattern) => pattern switch
    {
        PiecePattern.Gpt2 => Gpt2(),
        PiecePattern.O200k => O200k(),
        _ => Cl100k(),
    };

    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2();

    [GeneratedRegex(@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    private static partial Regex Cl100k();

    [GeneratedRegex(@"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")]
    private static partial Regex O200k();
}
