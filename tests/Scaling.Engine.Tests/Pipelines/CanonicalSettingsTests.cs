// One meaning, one canonical text: how settings are spelt, ordered, quoted or commented enters no key.
using System.Globalization;
using CsCheck;
using static Scaling.Engine.Tests.Pipelines.Reading;

namespace Scaling.Engine.Tests.Pipelines;

public class CanonicalSettingsTests
{
    /// <summary>Spellings of one whole number.</summary>
    private static readonly Func<long, string>[] Spellings =
    [
        n => $"{n}",
        n => $"+{n}",
        n => $"00{n}",
        n => $"{n}.0",
        n => $"{n}e0",
        n => $"{(n / 1000m).ToString(CultureInfo.InvariantCulture)}k",
        n => $"{(n / 1_000_000m).ToString(CultureInfo.InvariantCulture)}M",
        n => $"{(n / 1_000_000_000m).ToString(CultureInfo.InvariantCulture)}B",
        n => $"{(n / 1024m).ToString(CultureInfo.InvariantCulture)}Ki",
        n => $"{n}0000e-4",
    ];

    /// <summary>Spellings of one text.</summary>
    private static readonly Func<string, string>[] Quotes = [t => t, t => $"'{t}'", t => $"\"{t}\""];

    [Fact]
    public void Spelling_order_quotes_comments_and_layout_change_nothing()
    {
        var value = Gen.Select(
            Gen.Long[1, 1_000_000_000], Gen.Long[1, 64], Gen.Long[1, 1_000_000], Gen.Bool, Gen.Bool);
        var spelling = Gen.Select(Gen.Int[0, Spellings.Length - 1].Array[3], Gen.Int[0, 2].Array[2], Gen.Shuffle(Enumerable.Range(0, 5).ToArray()), Gen.Bool.Array[4]);

        Gen.Select(value, spelling).Sample(
            (values, form) =>
            {
                var (size, layers, prompt, cosine, noted) = values;
                string schedule = cosine ? "cosine" : "warmup-stable-decay";
                string note = noted ? "a note" : "x";
                var (numbers, quotes, order, layout) = form;
                string plain = $"sizes: [{size}]\nlayers: {layers}\nworkload: {{ prompt: {prompt}, output: 64 }}\nschedule: {schedule}\nnote: {note}";
                string sizeText = Spellings[numbers[0]](size);
                string promptText = Spellings[numbers[1]](prompt);
                string[] lines =
                [
                    layout[0] ? $"sizes: {sizeText}" : $"sizes:\n  - {sizeText}  # the only one",
                    $"layers: {Spellings[numbers[2]](layers)}",
                    layout[1] ? $"workload: {{ output: 64, prompt: {promptText} }}" : layout[2] ? $"workload:\n  prompt: {promptText}" : $"\"workload\": {{ prompt: {promptText} }}",
                    $"schedule: {Quotes[quotes[0]](schedule)}",
                    $"note: {Quotes[quotes[1]](note)}{(layout[3] ? " # said" : "")}",
                ];
                Assert.Equal(Canonical(plain), Canonical(string.Join("\n# and\n\n", order.Select(i => lines[i]))));
            },
            iter: 300);
    }

    [Fact]
    public void Every_other_meaning_has_another_text()
    {
        const string Plain = "sizes: [8k, 16k]";
        string[] others =
        [
            "sizes: [16k, 8k]", "sizes: [8k]", "sizes: [8k, 16k, 16k]", Plain + "\nlayers: 3", Plain + "\nx: []", Plain + "\nx: [0.16, 0.24]",
            Plain + "\nworkload: { prompt: 129 }", Plain + "\nbaseline: {}", Plain + "\nalso: [{}]", Plain + "\nschedule: cosine", Plain + "\noptimizer: sgd",
            Plain + "\nbits: 8", Plain + "\ntied: false", Plain + "\nlearning_rate: 0", Plain + "\nlimit: ~", Plain + "\nnote: 'null'",
            Plain + "\ncolumns: { a: b }", Plain + "\ncolumns: { b: a }", Plain + "\nfixed: {}", Plain + "\ncorpus: text:a", Plain + "\ntable: a",
        ];

        string[] texts = [Canonical(Plain), .. others.Select(Canonical)];

        Assert.Equal(texts.Length, texts.Distinct().Count());
    }

    [Fact]
    public void Writing_a_default_is_writing_nothing()
    {
        const string Defaults = """
            layers: 2
            x: [0.16, 0.24, 0.36]
            workload: { prompt: 128 }
            baseline: ~
            also: []
            schedule: warmup-stable-decay
            optimizer: adamw
            bits: 16
            tied: true
            learning_rate:
            limit: 5
            note: ""
            columns: {}
            fixed: { alpha: 0.34, beta: .28 }
            corpus: dotnet-docs
            table: null
            sizes: 8k
            """;

        Assert.Equal(Canonical("sizes: 8000"), Canonical(Defaults));
    }
}
