// The name of a job: for people what it runs, for us the token by which it is known whatever becomes of its number.
using System.Security.Cryptography;

namespace Scaling.Engine.Executors.Slurm;

internal static class JobName
{
    private const int TokenLength = 16;
    private const int LongestPart = 40;

    /// <summary>A token that no other job has.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenLength / 2));

    /// <summary>For example <c>quickstart.runs.3f9a1c07d2e4b681</c>.</summary>
    /// <param name="pipeline">Its name.</param>
    /// <param name="stage">Its id.</param>
    /// <param name="token">Of the submission.</param>
    public static string Of(string pipeline, string stage, string token) => $"{Cut(pipeline)}.{Cut(stage)}.{token}";

    /// <summary>The token in a name; null where it is no name of ours.</summary>
    /// <param name="name">Of any job.</param>
    public static string? TokenOf(string name) =>
        name.Split('.') is [_, .., { Length: TokenLength } token] && token.All(char.IsAsciiHexDigitLower) ? token : null;

    private static string Cut(string text) => text.Length <= LongestPart ? text : text[..LongestPart];
}
