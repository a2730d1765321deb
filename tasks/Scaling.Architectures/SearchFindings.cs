// What a search tells beside its picks: how many candidates each demand leaves, how flat the best place is, where picks trade places.
namespace Scaling.Architectures;

/// <summary>A demand on candidates.</summary>
/// <param name="Name">As column <c>breaks</c> of candidates.csv has it, for example <c>loss</c> or <c>limits.latency</c>.</param>
/// <param name="Demand">In words, for example <c>take at most 2 s a batch</c>.</param>
/// <param name="Meet">Candidates that meet it.</param>
/// <param name="Left">Candidates that meet it and every one before it.</param>
public sealed record ConstraintCount(string Name, string Demand, int Meet, int Left);

/// <summary>Where one of two shapes overtakes the other in tokens a second, all else as in the workload.</summary>
/// <param name="First"><c>accurate</c> or <c>efficient</c>.</param>
/// <param name="Second"><c>efficient</c> or <c>baseline</c>.</param>
/// <param name="FasterAtBatch1">Which of the two is faster at a batch of 1.</param>
/// <param name="Batch">The least batch from which the other is faster; null: none up to what fits into memory, or up to a million.</param>
/// <param name="FasterAtPrompt1">Which is faster after a prompt of one token.</param>
/// <param name="Prompt">The shortest prompt from which the other is faster, tokens; null: none up to what fits into memory, or up to a million.</param>
public sealed record TradePlace(string First, string Second, string FasterAtBatch1, int? Batch, string FasterAtPrompt1, int? Prompt);

/// <summary>Candidates that are predicted to lose as little as the best, give or take <paramref name="WithinNats"/>.</summary>
/// <param name="WithinNats">Nats a token, about twice what two seeds of one model differ by; of a law without a level the same share of the least loss.</param>
/// <param name="Candidates">How many, the best included.</param>
/// <param name="X">Their least and greatest d/√N.</param>
/// <param name="Ratio">Their least and greatest MLP to attention.</param>
public sealed record Valley(double WithinNats, int Candidates, Bounds X, Bounds Ratio);
