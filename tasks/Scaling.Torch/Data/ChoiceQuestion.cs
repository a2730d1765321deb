// A multiple-choice question as a decoder reads it.
using System.Text;

namespace Scaling.Torch;

/// <summary>A context with one of its choices behind it.</summary>
/// <param name="Tokens">Of both together.</param>
/// <param name="Scored">How many of them, at the end, are the choice's; at least 1 and fewer than all.</param>
/// <param name="Bytes">The choice's length in UTF-8, without the white space before it: what its log-likelihood is divided by.</param>
public sealed record ChoiceTokens(IReadOnlyList<int> Tokens, int Scored, int Bytes);

/// <summary>A question.</summary>
/// <param name="Choices">At least two.</param>
/// <param name="Answer">Position of the right one, from 0.</param>
public sealed record ChoiceQuestion(IReadOnlyList<ChoiceTokens> Choices, int Answer)
{
    /// <summary>
    /// Encodes a question as lm-evaluation-harness does: context and choice are one text, with a space between them where neither brings white space, and white space at the
    /// end of the context belongs to the choice, since tokenizers keep it with the word that follows. The choice's tokens are those from which on the text's differ from the
    /// context's alone.
    /// </summary>
    /// <param name="tokenizer">The decoder's.</param>
    /// <param name="context">Not white space alone.</param>
    /// <param name="choices">At least two, none of them white space alone.</param>
    /// <param name="answer">Position of the right choice, from 0.</param>
    public static ChoiceQuestion Of(TextTokenizer tokenizer, string context, IReadOnlyList<string> choices, int answer)
    {
        string head = context.TrimEnd();
        string space = context[head.Length..];
        var alone = tokenizer.Encode(head);
        return new ChoiceQuestion([.. choices.Select(Tokens)], answer);

        ChoiceTokens Tokens(string choice)
        {
            string between = space.Length > 0 || char.IsWhiteSpace(choice[0]) ? space : " ";
            var tokens = tokenizer.Encode(head + between + choice);
            int shared = tokens.Zip(alone).TakeWhile(pair => pair.First == pair.Second).Count();
            // The very first token has none before it to be predicted from.
            return new ChoiceTokens(tokens, tokens.Count - Math.Max(1, shared), Encoding.UTF8.GetByteCount(choice.TrimStart()));
        }
    }
}
