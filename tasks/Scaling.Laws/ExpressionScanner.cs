// The words of an expression, each with the column at which it begins.
using System.Globalization;

namespace Scaling.Laws;

internal enum WordKind
{
    /// <summary>Behind the last word.</summary>
    End,

    /// <summary>A number without a sign.</summary>
    Number,

    /// <summary>A name, or <c>and</c>, <c>or</c>, <c>not</c>.</summary>
    Name,

    /// <summary>A name in backticks: always a column.</summary>
    Column,

    /// <summary>Text in single quotes.</summary>
    Text,

    /// <summary>An operator, bracket or comma.</summary>
    Symbol,
}

/// <summary>A word.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Without backticks and quotes.</param>
/// <param name="At">Column of its first character, from 1.</param>
internal readonly record struct Word(WordKind Kind, string Text, int At)
{
    /// <summary>As messages name it, at most 40 characters.</summary>
    public string Shown => Kind == WordKind.End ? "the end" : Kind == WordKind.Text ? $"the text '{Cut(Text)}'" : $"'{Cut(Text)}'";

    public static string Cut(string text) => text.Length > 40 ? text[..40] + "…" : text;
}

/// <summary>An expression that cannot be read.</summary>
/// <param name="message">What was found and what was expected, without a full stop.</param>
/// <param name="at">Column, from 1.</param>
internal sealed class ExpressionException(string message, int at) : Exception(message)
{
    public int At { get; } = at;

    /// <summary>The name that is not there; null where the mistake is another.</summary>
    public string? Missing { get; init; }

    /// <summary>What <see cref="Missing"/> might have meant.</summary>
    public IReadOnlyList<string> Candidates { get; init; } = [];
}

internal sealed class ExpressionScanner(string text)
{
    private static readonly string[] Symbols = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "^", "(", ")", ","];

    private int _next;

    /// <exception cref="ExpressionException">There is no word here.</exception>
    public Word Next()
    {
        while (_next < text.Length && char.IsWhiteSpace(text[_next]))
        {
            _next++;
        }

        if (_next == text.Length)
        {
            return new Word(WordKind.End, "", _next + 1);
        }

        char first = text[_next];
        return char.IsAsciiDigit(first) || (first == '.' && _next + 1 < text.Length && char.IsAsciiDigit(text[_next + 1])) ? Number()
            : char.IsAsciiLetter(first) || first == '_' ? Taken(WordKind.Name, Length(_next, c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
            : first is '\'' or '`' ? Enclosed(first)
            : Symbol();
    }

    private Word Taken(WordKind kind, int length)
    {
        var word = new Word(kind, text.Substring(_next, length), _next + 1);
        _next += length;
        return word;
    }

    private int Length(int start, Func<char, bool> belongs)
    {
        int end = start;
        while (end < text.Length && belongs(text[end]))
        {
            end++;
        }

        return end - start;
    }

    private Word Number()
    {
        int length = Length(_next, c => char.IsAsciiDigit(c) || c == '.');
        int exponent = _next + length;
        if (exponent < text.Length && text[exponent] is 'e' or 'E')
        {
            int digits = exponent + 1 < text.Length && text[exponent + 1] is '+' or '-' ? exponent + 2 : exponent + 1;
            int count = Length(digits, char.IsAsciiDigit);
            length = count > 0 ? digits + count - _next : length;
        }

        var word = Taken(WordKind.Number, length);
        return double.TryParse(word.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? word
            : throw new ExpressionException($"'{Word.Cut(word.Text)}' is no number that can be computed with", word.At);
    }

    /// <summary>A text or a name in marks; the mark itself stands there doubled.</summary>
    private Word Enclosed(char mark)
    {
        int start = _next;
        var content = new System.Text.StringBuilder();
        for (_next++; _next < text.Length; _next++)
        {
            if (text[_next] != mark)
            {
                content.Append(text[_next]);
            }
            else if (_next + 1 < text.Length && text[_next + 1] == mark)
            {
                content.Append(text[_next++]);
            }
            else
            {
                _next++;
                return new Word(mark == '`' ? WordKind.Column : WordKind.Text, content.ToString(), start + 1);
            }
        }

        throw new ExpressionException(mark == '`' ? "a backtick ` never ends" : "a quote ' never ends", start + 1);
    }

    private Word Symbol()
    {
        string? symbol = Symbols.FirstOrDefault(s => string.CompareOrdinal(text, _next, s, 0, s.Length) == 0);
        if (symbol is not null)
        {
            return symbol == "*" && _next + 1 < text.Length && text[_next + 1] == '*'
                ? throw new ExpressionException("'**' where '^' was expected for a power", _next + 1)
                : Taken(WordKind.Symbol, symbol.Length);
        }

        string expected = text[_next] switch
        {
            '=' => "'=' where '==' was expected",
            '&' => "'&' where 'and' was expected",
            '|' => "'|' where 'or' was expected",
            '!' => "'!' where 'not' or '!=' was expected",
            '"' => "'\"' where ' was expected around a text",
            char other => $"'{other}' has no meaning here; a column with such a name stands in backticks: `a name`",
        };
        throw new ExpressionException(expected, _next + 1);
    }
}
