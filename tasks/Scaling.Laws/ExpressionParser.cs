// Text to an expression, by recursive descent.
namespace Scaling.Laws;

/// <summary>
/// The grammar, weakest first:
/// <c>or</c>; <c>and</c>; <c>not</c>; one of <c>== != &lt; &lt;= &gt; &gt;=</c>; <c>+ -</c>; <c>* /</c>; a sign; <c>^</c>, from the right; a number, a column,
/// <c>true</c> and <c>false</c> (1 and 0), a function of expressions, an expression in brackets. Sums, products and comparisons are read from the left.
/// A column's name stands bare where it is a letter or <c>_</c>, then letters, digits, <c>_</c> and <c>.</c>; others stand in backticks.
/// </summary>
internal sealed class ExpressionParser
{
    /// <summary>Characters of an expression at most: no study needs more, and it bounds the time.</summary>
    private const int Longest = 2000;

    /// <summary>Brackets, signs and powers within each other at most: it bounds the stack.</summary>
    private const int Deepest = 100;

    private static readonly Dictionary<string, (Operation Operation, int Least, int Most)> Functions = new(StringComparer.Ordinal)
    {
        ["ln"] = (Operation.Ln, 1, 1),
        ["log10"] = (Operation.Log10, 1, 1),
        ["log2"] = (Operation.Log2, 1, 1),
        ["exp"] = (Operation.Exp, 1, 1),
        ["sqrt"] = (Operation.Sqrt, 1, 1),
        ["abs"] = (Operation.Abs, 1, 1),
        ["floor"] = (Operation.Floor, 1, 1),
        ["ceil"] = (Operation.Ceil, 1, 1),
        ["round"] = (Operation.Round, 1, 1),
        ["min"] = (Operation.Min, 2, 20),
        ["max"] = (Operation.Max, 2, 20),
    };

    private static readonly Dictionary<string, Operation> Comparisons = new(StringComparer.Ordinal)
    {
        ["=="] = Operation.Equal,
        ["!="] = Operation.Different,
        ["<"] = Operation.Less,
        ["<="] = Operation.LessOrEqual,
        [">"] = Operation.Greater,
        [">="] = Operation.GreaterOrEqual,
    };

    private readonly IReadOnlyList<string> _columns;
    private readonly ExpressionScanner _scanner;
    private readonly List<Instruction> _code = [];
    private readonly bool _takesTexts;
    private Word _word;
    private int _depth;

    private ExpressionParser(string text, IReadOnlyList<string> columns, ExpressionType type)
    {
        _takesTexts = type == ExpressionType.Truth;
        _columns = columns;
        _scanner = new ExpressionScanner(text);
        _word = _scanner.Next();
    }

    /// <summary>Reads an expression.</summary>
    /// <param name="text">Of at most 2000 characters, nested at most 100 deep.</param>
    /// <param name="columns">The columns that it may name.</param>
    /// <param name="type">What it is to give.</param>
    /// <exception cref="ExpressionException">It is none, or gives something else.</exception>
    public static Expression Parse(string text, IReadOnlyList<string> columns, ExpressionType type)
    {
        if (text.Length > Longest)
        {
            throw new ExpressionException($"it has {text.Length} characters where at most {Longest} were expected", Longest + 1);
        }

        var parser = new ExpressionParser(text, columns, type);
        Expect(type, parser.Or, 1);
        return parser._word.Kind == WordKind.End
            ? new Expression(text, type, parser._code)
            : throw parser.Unexpected("an operator or the end");
    }

    private ExpressionType Or() => Joined("or", Operation.Or, And);

    private ExpressionType And() => Joined("and", Operation.And, Not);

    private ExpressionType Joined(string word, Operation operation, Func<ExpressionType> part)
    {
        int start = _word.At;
        var type = part();
        while (_word is { Kind: WordKind.Name } && _word.Text == word)
        {
            Check(type, ExpressionType.Truth, start);
            Advance();
            Expect(ExpressionType.Truth, part, _word.At);
            type = Emit(operation, ExpressionType.Truth);
        }

        return type;
    }

    private ExpressionType Not()
    {
        if (_word is not { Kind: WordKind.Name, Text: "not" })
        {
            return Comparison();
        }

        Advance();
        Deeper(() => Expect(ExpressionType.Truth, Not, _word.At));
        return Emit(Operation.Not, ExpressionType.Truth);
    }

    private ExpressionType Comparison()
    {
        var (start, begin) = (_word.At, _code.Count);
        var left = Sum();
        if (!TakeComparison(out var operation))
        {
            return left;
        }

        var (middle, second) = (_word.At, _code.Count);
        var right = Sum();
        if (_word.Kind == WordKind.Symbol && Comparisons.ContainsKey(_word.Text))
        {
            throw new ExpressionException($"a second comparison, {_word.Shown}; write 'a < b and b < c' for 'a < b < c'", _word.At);
        }

        if (left == ExpressionType.Text || right == ExpressionType.Text)
        {
            return TextComparison(operation, begin, second, start);
        }

        Check(left, ExpressionType.Number, start);
        Check(right, ExpressionType.Number, middle);
        return Emit(operation, ExpressionType.Truth);
    }

    private bool TakeComparison(out Operation operation)
    {
        operation = default;
        if (_word.Kind != WordKind.Symbol || !Comparisons.TryGetValue(_word.Text, out operation))
        {
            return false;
        }

        Advance();
        return true;
    }

    /// <summary>A column beside a text, in either order.</summary>
    private ExpressionType TextComparison(Operation operation, int begin, int second, int at)
    {
        var sides = new[] { _code[begin], _code[second] };
        if (_code.Count != begin + 2 || !sides.Any(s => s.Operation == Operation.Column) || operation is not (Operation.Equal or Operation.Different))
        {
            throw new ExpressionException("a text can be compared with a column alone, by == or !=", at);
        }

        _code.RemoveRange(begin, 2);
        _code.Add(new Instruction(
            operation == Operation.Equal ? Operation.TextEquals : Operation.TextDiffers, Column: sides.Max(s => s.Column), Text: sides[0].Text + sides[1].Text));
        return ExpressionType.Truth;
    }

    private ExpressionType Sum() => Chain(Product, ("+", Operation.Add), ("-", Operation.Subtract));

    private ExpressionType Product() => Chain(Signed, ("*", Operation.Multiply), ("/", Operation.Divide));

    private ExpressionType Chain(Func<ExpressionType> part, params ReadOnlySpan<(string Symbol, Operation Operation)> operators)
    {
        int start = _word.At;
        var type = part();
        while (Is(operators[0].Symbol) || Is(operators[1].Symbol))
        {
            var operation = Is(operators[0].Symbol) ? operators[0].Operation : operators[1].Operation;
            Check(type, ExpressionType.Number, start);
            Advance();
            Expect(ExpressionType.Number, part, _word.At);
            type = Emit(operation, ExpressionType.Number);
        }

        return type;
    }

    private ExpressionType Signed()
    {
        if (!Is("-") && !Is("+"))
        {
            return Power();
        }

        bool negative = Is("-");
        Advance();
        Deeper(() => Expect(ExpressionType.Number, Signed, _word.At));
        return negative ? Emit(Operation.Negate, ExpressionType.Number) : ExpressionType.Number;
    }

    private ExpressionType Power()
    {
        int start = _word.At;
        var type = Primary();
        if (!Is("^"))
        {
            return type;
        }

        Check(type, ExpressionType.Number, start);
        Advance();
        Deeper(() => Expect(ExpressionType.Number, Signed, _word.At));
        return Emit(Operation.Power, ExpressionType.Number);
    }

    private ExpressionType Primary()
    {
        var word = _word;
        switch (word.Kind)
        {
            case WordKind.Number:
                Advance();
                return Push(new Instruction(Operation.Number, double.Parse(word.Text)), ExpressionType.Number);
            case WordKind.Text:
                Advance();
                return Push(new Instruction(Operation.Text, Text: word.Text.Trim()), ExpressionType.Text);
            case WordKind.Name when word.Text is "and" or "or" or "not":
                throw Unexpected("a number, a column or a bracket");
            case WordKind.Name or WordKind.Column:
                Advance();
                return word.Kind == WordKind.Name && Is("(") ? Function(word) : Column(word);
            case WordKind.Symbol when word.Text == "(":
                return Bracket();
            default:
                throw Unexpected("a number, a column or a bracket");
        }
    }

    private ExpressionType Bracket()
    {
        Advance();
        var type = ExpressionType.Number;
        Deeper(() => type = Or());
        Close(")");
        return type;
    }

    private ExpressionType Column(Word name)
    {
        int column = IndexOf(name.Text);
        if (column < 0 && name is { Kind: WordKind.Name, Text: "true" or "false" })
        {
            return Push(new Instruction(Operation.Number, name.Text == "true" ? 1 : 0), ExpressionType.Number);
        }

        return column >= 0
            ? Push(new Instruction(Operation.Column, Column: column), ExpressionType.Number)
            : throw new ExpressionException($"the table has no column {name.Shown}{(_takesTexts ? "; a text stands in quotes, as here" : "")}", name.At)
            {
                Missing = name.Text,
                Candidates = _columns,
            };
    }

    private ExpressionType Function(Word name)
    {
        if (!Functions.TryGetValue(name.Text, out var function))
        {
            throw new ExpressionException($"there is no function '{Word.Cut(name.Text)}'; there are {string.Join(", ", Functions.Keys)}", name.At)
            {
                Missing = name.Text,
                Candidates = [.. Functions.Keys],
            };
        }

        int count = 0;
        do
        {
            Advance();
            Deeper(() => Expect(ExpressionType.Number, Or, _word.At));
            if (++count > 1)
            {
                Emit(function.Operation, ExpressionType.Number);
            }
        }
        while (Is(",") && count < function.Most);
        if (count < function.Least)
        {
            throw Unexpected($"',' and another number, since {name.Text} takes {function.Least} or more,");
        }

        Close(")");
        return function.Most == 1 ? Emit(function.Operation, ExpressionType.Number) : ExpressionType.Number;
    }

    private int IndexOf(string name)
    {
        for (int i = 0; i < _columns.Count; i++)
        {
            if (_columns[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    private bool Is(string symbol) => _word.Kind == WordKind.Symbol && _word.Text == symbol;

    private void Advance() => _word = _scanner.Next();

    private void Close(string symbol)
    {
        if (!Is(symbol))
        {
            throw Unexpected($"an operator or '{symbol}'");
        }

        Advance();
    }

    private void Deeper(Action part)
    {
        if (++_depth > Deepest)
        {
            throw new ExpressionException($"it is nested more than {Deepest} deep", _word.At);
        }

        part();
        _depth--;
    }

    private static void Expect(ExpressionType type, Func<ExpressionType> part, int at) => Check(part(), type, at);

    private static void Check(ExpressionType found, ExpressionType expected, int at)
    {
        if (found != expected)
        {
            throw new ExpressionException($"{Named(found)} where {Named(expected)} was expected", at);
        }
    }

    private static string Named(ExpressionType type) => type switch
    {
        ExpressionType.Number => "a number",
        ExpressionType.Truth => "a comparison",
        _ => "a text",
    };

    private ExpressionType Emit(Operation operation, ExpressionType type) => Push(new Instruction(operation), type);

    private ExpressionType Push(Instruction instruction, ExpressionType type)
    {
        _code.Add(instruction);
        return type;
    }

    private ExpressionException Unexpected(string expected) => new($"{_word.Shown} where {expected} was expected", _word.At);
}
