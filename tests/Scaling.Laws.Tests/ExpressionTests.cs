// Formulas over columns: what they mean, what they say when they are none, and that nothing makes them throw.
using System.Globalization;
using CsCheck;

namespace Scaling.Laws.Tests;

public sealed class ExpressionTests
{
    private static readonly string[] Columns = ["a", "b", "zero", "name", "empty", "an odd `name`/2", "truth", "b.c_1"];

    private static readonly string[] Cells = ["3", "-2.5", "0", "c4", " ", "7", "True", "1e300"];

    [Theory]
    [InlineData("a", 3)]
    [InlineData("a * b + 1", -6.5)]
    [InlineData("1 + 2 * 3 - 4 / 2", 5)]
    [InlineData("8 - 3 - 2", 3)]
    [InlineData("8 / 4 / 2", 1)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("-a ^ 2", -9)]
    [InlineData("2 ^ -1", 0.5)]
    [InlineData("2 ^ 3 ^ 2", 512)]
    [InlineData("- - + a", 3)]
    [InlineData("ln(exp(2)) + log10(100) + log2(8)", 7)]
    [InlineData("sqrt(abs(-16))", 4)]
    [InlineData("min(a, b, 5) + max(1, a)", 0.5)]
    [InlineData("floor(2.7) + ceil(2.1) + round(2.5)", 8)]
    [InlineData("`an odd ``name``/2` + `a`", 10)]
    [InlineData("b.c_1 / 1e300", 1)]
    [InlineData("1.5e2 + .5 + 2.", 152.5)]
    [InlineData("truth + true - false", 2)]
    public void A_formula_has_the_value_of_school_arithmetic(string formula, double value) => Assert.Equal(value, Value(formula), 1e-12);

    [Theory]
    [InlineData("a < 4", 1)]
    [InlineData("a < 4 and b > 0", 0)]
    [InlineData("b > 0 or a >= 3 and a <= 3", 1)]
    [InlineData("not a == 3", 0)]
    [InlineData("not (a == 4 or a == 5)", 1)]
    [InlineData("(a + 1) * 2 != 8", 0)]
    [InlineData("name == 'c4'", 1)]
    [InlineData("'rpj' != name and truth == true", 1)]
    [InlineData("empty == '' and name != ''", 1)]
    [InlineData("name == 'it''s'", 0)]
    [InlineData("empty < 3", double.NaN)]
    [InlineData("not empty < 3", double.NaN)]
    [InlineData("empty < 3 and a == 4", 0)]
    [InlineData("a == 3 or name > 3", 1)]
    [InlineData("a / zero > 3 or a == 4", double.NaN)]
    public void A_comparison_is_true_false_or_unknown(string comparison, double truth) => Assert.Equal(truth, Value(comparison, ExpressionType.Truth));

    [Theory]
    [InlineData("a / zero", "it divides by zero, where a is '3', zero is '0'")]
    [InlineData("1 / (1 / zero)", "it divides by zero, where zero is '0'")]
    [InlineData("ln(b)", "ln of -2.5 has no finite value, where b is '-2.5'")]
    [InlineData("ln(zero)", "ln of 0 has no finite value, where zero is '0'")]
    [InlineData("sqrt(b) ^ 0", "sqrt of -2.5 has no finite value, where b is '-2.5'")]
    [InlineData("b ^ 0.5", "-2.5 to the power of 0.5 has no finite value, where b is '-2.5'")]
    [InlineData("min(1, exp(1000))", "its value is beyond what a number holds")]
    [InlineData("exp(-b.c_1 * b.c_1)", "its value is beyond what a number holds, where b.c_1 is '1e300'")]
    [InlineData("a + name", "'name' is no number, where a is '3', name is 'c4'")]
    [InlineData("empty ^ 0", "'empty' is no number, where empty is nothing")]
    public void What_has_no_value_says_why_and_of_which_cells(string formula, string reason)
    {
        var expression = ExpressionParser.Parse(formula, Columns, ExpressionType.Number);
        Assert.True(double.IsNaN(expression.Evaluate(Row(), 0)));
        Assert.Equal(reason, expression.Reason(Row(), 0));
    }

    [Theory]
    [InlineData("", 1, "the end where a number, a column or a bracket was expected")]
    [InlineData("a *", 4, "the end where a number, a column or a bracket was expected")]
    [InlineData("(a + b", 7, "the end where an operator or ')' was expected")]
    [InlineData("a + b)", 6, "')' where an operator or the end was expected")]
    [InlineData("a b", 3, "'b' where an operator or the end was expected")]
    [InlineData("a ** 2", 3, "'**' where '^' was expected for a power")]
    [InlineData("a * stpe", 5, "the table has no column 'stpe'")]
    [InlineData("lg(a)", 1, "there is no function 'lg'; there are ln, log10, log2, exp, sqrt, abs, floor, ceil, round, min, max")]
    [InlineData("min(a)", 6, "')' where ',' and another number, since min takes 2 or more, was expected")]
    [InlineData("ln(a, b)", 5, "',' where an operator or ')' was expected")]
    [InlineData("a + 'c4'", 5, "a text where a number was expected")]
    [InlineData("a < 3", 1, "a comparison where a number was expected")]
    [InlineData("1e999", 1, "'1e999' is no number that can be computed with")]
    [InlineData("1.2.3", 1, "'1.2.3' is no number that can be computed with")]
    [InlineData("a % 2", 3, "'%' has no meaning here; a column with such a name stands in backticks: `a name`")]
    [InlineData("`a", 1, "a backtick ` never ends")]
    public void What_is_no_formula_is_told_with_its_column(string formula, int at, string message) => Refused(formula, ExpressionType.Number, at, message);

    [Theory]
    [InlineData("a", 1, "a number where a comparison was expected")]
    [InlineData("a = 3", 3, "'=' where '==' was expected")]
    [InlineData("a < 3 && b < 3", 7, "'&' where 'and' was expected")]
    [InlineData("!a", 1, "'!' where 'not' or '!=' was expected")]
    [InlineData("1 < a < 3", 7, "a second comparison, '<'; write 'a < b and b < c' for 'a < b < c'")]
    [InlineData("name == c4", 9, "the table has no column 'c4'; a text stands in quotes, as here")]
    [InlineData("name == \"c4\"", 9, "'\"' where ' was expected around a text")]
    [InlineData("name < 'c4'", 1, "a text can be compared with a column alone, by == or !=")]
    [InlineData("a + 1 == 'c4'", 1, "a text can be compared with a column alone, by == or !=")]
    [InlineData("name == 'c4", 9, "a quote ' never ends")]
    [InlineData("a and b", 1, "a number where a comparison was expected")]
    public void What_is_no_comparison_is_told_with_its_column(string comparison, int at, string message) => Refused(comparison, ExpressionType.Truth, at, message);

    [Fact]
    public void A_hundred_thousand_brackets_are_refused_and_do_no_harm()
    {
        Refused(new string('(', 100_000), ExpressionType.Number, 2001, "it has 100000 characters where at most 2000 were expected");
        Refused(new string('(', 1900), ExpressionType.Number, 102, "it is nested more than 100 deep");
        Refused(new string('-', 1900), ExpressionType.Number, 102, "it is nested more than 100 deep");
        Refused(string.Concat(Enumerable.Repeat("2^", 900)) + "2", ExpressionType.Number, 203, "it is nested more than 100 deep");
        Assert.Equal(600, Value(string.Join('+', Enumerable.Repeat("1", 600))));
    }

    [Fact]
    public void Random_formulas_have_the_value_of_a_naive_evaluator() =>
        Formula(4).Sample(
            formula =>
            {
                double expected = formula.Value(Numbers());
                double found = Value(formula.Text);
                return double.IsNaN(expected) ? double.IsNaN(found) : Math.Abs(found - expected) <= 1e-12 * Math.Abs(expected);
            },
            iter: 20_000);

    [Fact]
    public void Garbage_is_read_or_refused_and_never_throws_otherwise()
    {
        string[] words = ["a", "b", "zero", "name", "'c4'", "(", ")", "+", "-", "*", "/", "^", ",", "<", "==", "!=", "and", "or", "not", "ln", "min", "1", "2.5e3", "`a`", "`", "'", "é", " ", "\0", "true"];
        var garbage = Gen.Select(Gen.Int[0, words.Length - 1].Select(i => words[i]).Array[0, 20], Gen.String[0, 10], Gen.Bool, (w, s, spaced) => string.Join(spaced ? " " : "", w) + s);
        garbage.Sample(
            text =>
            {
                foreach (var type in new[] { ExpressionType.Number, ExpressionType.Truth })
                {
                    try
                    {
                        double value = ExpressionParser.Parse(text, Columns, type).Evaluate(Row(), 0);
                        Assert.False(double.IsInfinity(value));
                    }
                    catch (ExpressionException e)
                    {
                        Assert.InRange(e.At, 1, Math.Max(text.Length + 1, 2001));
                    }
                }
            },
            iter: 50_000);
    }

    private static RunCells Row() => new(Columns, [Cells]);

    private static double[] Numbers() => [3, -2.5, 0];

    private static double Value(string text, ExpressionType type = ExpressionType.Number) => ExpressionParser.Parse(text, Columns, type).Evaluate(Row(), 0);

    private static void Refused(string text, ExpressionType type, int at, string message)
    {
        var refusal = Assert.Throws<ExpressionException>(() => ExpressionParser.Parse(text, Columns, type));
        Assert.Equal((at, message), (refusal.At, refusal.Message));
    }

    /// <summary>A tree that is evaluated as it stands, with its text in as many brackets as needed to need no precedence.</summary>
    private sealed record Tree(string Text, Func<double[], double> Value);

    private static Gen<Tree> Formula(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Double[0, 100].Select(d => new Tree(d.ToString("R", CultureInfo.InvariantCulture), _ => d)),
            Gen.Int[0, 2].Select(i => new Tree(i == 2 ? "`zero`" : Columns[i], row => row[i])));
        if (depth == 0)
        {
            return leaf;
        }

        var inner = Formula(depth - 1);
        return Gen.OneOf(leaf, Two(inner), Two(inner), One(inner));
    }

    private static Gen<Tree> Two(Gen<Tree> inner)
    {
        var operators = new (string Text, Func<double, double, double> Value)[]
        {
            ("({0} + {1})", (a, b) => a + b), ("({0} - {1})", (a, b) => a - b), ("({0}*{1})", (a, b) => a * b), ("({0} / {1})", (a, b) => a / b),
            ("(({0}) ^ ({1}))", Math.Pow), ("min({0},{1})", Math.Min), ("max({0}, {1})", Math.Max),
        };
        return Gen.Select(Gen.Int[0, operators.Length - 1].Select(i => operators[i]), inner, inner, (o, a, b) =>
            new Tree(string.Format(CultureInfo.InvariantCulture, o.Text, a.Text, b.Text), row => Checked(o.Value, a.Value(row), b.Value(row))));
    }

    private static Gen<Tree> One(Gen<Tree> inner)
    {
        var functions = new (string Text, Func<double, double> Value)[]
        {
            ("(-{0})", a => -a), ("ln({0})", Math.Log), ("log10({0})", Math.Log10), ("log2({0})", Math.Log2), ("exp({0})", Math.Exp), ("sqrt({0})", Math.Sqrt), ("abs({0})", Math.Abs),
            ("floor({0})", Math.Floor), ("ceil({0})", Math.Ceiling),
        };
        return Gen.Select(Gen.Int[0, functions.Length - 1].Select(i => functions[i]), inner, (f, a) =>
            new Tree(string.Format(CultureInfo.InvariantCulture, f.Text, a.Text), row => Checked((x, _) => f.Value(x), a.Value(row), 0)));
    }

    private static double Checked(Func<double, double, double> operation, double left, double right) =>
        double.IsFinite(left) && double.IsFinite(right) && operation(left, right) is var value && double.IsFinite(value) ? value : double.NaN;
}
