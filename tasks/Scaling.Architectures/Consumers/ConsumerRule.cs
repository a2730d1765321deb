// What a program that loads or trains a model demands of its shape.
namespace Scaling.Architectures;

/// <summary>What breaking a rule does.</summary>
public enum RuleEffect
{
    /// <summary>The consumer does not take the shape.</summary>
    Refuses,

    /// <summary>The consumer takes it, and is slower or larger than it need be.</summary>
    Slows,
}

/// <summary>One demand of a consumer.</summary>
/// <param name="Name">Short, lower case with hyphens, one within its consumer.</param>
/// <param name="Effect">What breaking it does.</param>
/// <param name="Sentence">What it demands, as a sentence with its stop.</param>
/// <param name="Source">Where that stands: the function or document, with the version that was read.</param>
/// <param name="Fault">What is wrong with a shape at a tensor-parallel degree (at least 1), in words without a stop; null where nothing is.</param>
public sealed record ConsumerRule(string Name, RuleEffect Effect, string Sentence, string Source, Func<DecoderShape, int, string?> Fault);
