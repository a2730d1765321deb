// Multiple choice: likelihoods against an independent decoder, and answers against what is likelier.
using System.Text;
using Scaling.Architectures;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class MultipleChoiceTests : IDisposable
{
    private static readonly DecoderShape Shape = new(2, 16, 24, 4, 2, 8, 256, Tied: true);

    private readonly TemporaryFolder _folder = new();
    private readonly DecoderWeights _weights;

    public MultipleChoiceTests()
    {
        Libtorch.Load();
        _weights = new DecoderWeights(Shape, seed: 3);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var matrix in _weights.Matrices)
        {
            matrix.mul_(6); // fresh weights find everything about equally likely
        }
    }

    public void Dispose()
    {
        _weights.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_question_scored_by_hand_with_an_independent_decoder_has_the_same_likelihoods_a_byte()
    {
        // Of different lengths, so that all but the longest are padded; the last is longer than the context and loses its beginning.
        (string Context, string[] Choices)[] asked = [("The sky is", ["blue", "green and grey", "ß"]), ("Why is it so, today?\n", ["So.", "Because it is so, and was so before"]), ("A", ["b", "c"])];
        const int context = 40;
        var questions = asked.Select(q => ChoiceQuestion.Of(TextTokenizer.Bytes, q.Context, q.Choices, 0)).ToList();

        var scores = MultipleChoice.Scores(_weights, questions, context, (_, _) => { }, default);

        _weights.Write(_folder["weights.safetensors"]);
        var reference = new ReferenceDecoder(Shape, _folder["weights.safetensors"]);
        Assert.Equal([3, 2, 2], scores.Select(s => s.Length));
        Assert.True(scores[0].Max() - scores[0].Min() > 0.1, "the likelihoods must tell something");
        for (int q = 0; q < asked.Length; q++)
        {
            for (int c = 0; c < asked[q].Choices.Length; c++)
            {
                // By hand: the newline is white space already, elsewhere a space is put between.
                string text = asked[q].Context + (asked[q].Context.EndsWith('\n') ? "" : " ") + asked[q].Choices[c];
                int[] tokens = [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];
                int scored = tokens.Length - Encoding.UTF8.GetByteCount(asked[q].Context.TrimEnd());
                tokens = tokens[Math.Max(0, tokens.Length - context - 1)..];
                double[][] logits = reference.Logits(tokens[..^1]);
                double logLikelihood = Enumerable.Range(tokens.Length - scored, scored).Sum(t => logits[t - 1][tokens[t]] - Math.Log(logits[t - 1].Sum(Math.Exp)));

                // Some 40 terms of size 5 in float32 leave 1e-5.
                Assert.Equal(logLikelihood / Encoding.UTF8.GetByteCount(asked[q].Choices[c]), scores[q][c], 2e-5);
            }
        }
    }

    [Fact]
    public void The_answer_is_the_choice_of_the_greatest_likelihood_a_byte_and_the_accuracy_has_its_standard_error()
    {
        var questions = Enumerable.Range(0, 40).Select(i => ChoiceQuestion.Of(TextTokenizer.Bytes, $"{i} is", ["one", "some", "many more"], 0)).ToList();
        var scores = MultipleChoice.Scores(_weights, questions, 32, (_, _) => { }, default);
        // Right by what the decoder itself finds likeliest, except for every fourth question.
        questions = [.. questions.Select((q, i) => q with { Answer = (Array.IndexOf(scores[i], scores[i].Max()) + (i % 4 == 0 ? 1 : 0)) % 3 })];
        var told = new List<(int Done, int All)>();

        var result = MultipleChoice.Of(_weights, questions, 32, (done, all) => told.Add((done, all)), default);

        Assert.Equal(new MultipleChoice(0.75, Math.Sqrt(0.75 * 0.25 / 39), 40), result);
        Assert.Equal((120, 120), told[^1]);
        Assert.True(told.Count > 1, "several batches");
        Assert.Null(MultipleChoice.Of(_weights, questions[..1], 32, (_, _) => { }, default).StandardError);
    }

    [Fact]
    public void Evaluation_stops_when_asked_to() => Assert.Throws<OperationCanceledException>(() => MultipleChoice.Of(
        _weights, [ChoiceQuestion.Of(TextTokenizer.Bytes, "a", ["b", "c"], 0)], 8, (_, _) => { }, new CancellationToken(canceled: true)));

    [Theory]
    [InlineData("The sky is", "blue", "The sky is blue", 5)]
    [InlineData("The sky is ", "blue", "The sky is blue", 5)]
    [InlineData("The sky is", " blue", "The sky is blue", 5)]
    [InlineData("The sky is:\n", "blue", "The sky is:\nblue", 5)]
    [InlineData("The sky is ", "\nblue", "The sky is \nblue", 6)]
    public void Context_and_choice_are_one_text_and_the_white_space_between_is_the_choices(string context, string choice, string text, int scored)
    {
        var tokens = ChoiceQuestion.Of(TextTokenizer.Bytes, context, [choice, "x"], 0).Choices[0];

        Assert.Equal(text, Encoding.UTF8.GetString([.. tokens.Tokens.Select(t => (byte)t)]));
        Assert.Equal(scored, tokens.Scored);
        Assert.Equal(4, tokens.Bytes);
    }

    [Fact]
    public void Tokens_that_reach_over_the_border_are_the_choices()
    {
        _folder.Write("text.txt", string.Concat(Enumerable.Repeat("ab ab ab\n", 50)));
        TextTokenizer.LearnRanks(_folder["text.txt"], PiecePattern.Gpt2, 258, _folder["ranks.tiktoken"], _ => { });
        var tokenizer = TextTokenizer.OfRanks(_folder["ranks.tiktoken"], PiecePattern.Gpt2);

        var choice = ChoiceQuestion.Of(tokenizer, "ab", ["ab", "b"], 0).Choices[0];

        Assert.Equal(tokenizer.Encode("ab ab"), choice.Tokens);
        Assert.Equal(choice.Tokens.Count - tokenizer.Encode("ab").Count, choice.Scored);
        Assert.Equal(2, choice.Bytes);
    }
}
