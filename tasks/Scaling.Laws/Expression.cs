// A formula over the columns of a table, as instructions for a stack of numbers.
using System.Globalization;

namespace Scaling.Laws;

/// <summary>What an expression gives.</summary>
internal enum ExpressionType
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>1 for true, 0 for false, NaN for unknown.</summary>
    Truth,

    /// <summary>A text, which only a comparison with a column takes.</summary>
    Text,
}

/// <summary>What an instruction does with the top of the stack.</summary>
internal enum Operation
{
    Number, Column, Text, TextEquals, TextDiffers,
    Negate, Ln, Log10, Log2, Exp, Sqrt, Abs, Floor, Ceil, Round, Not,
    Add, Subtract, Multiply, Divide, Power, Min, Max,
    Equal, Different, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or,
}

/// <summary>An instruction.</summary>
/// <param name="Operation">What it does.</param>
/// <param name="Value">The number that it pushes.</param>
/// <param name="Column">The column that it reads.</param>
/// <param name="Text">The text that it compares with.</param>
internal readonly record struct Instruction(Operation Operation, double Value = 0, int Column = -1, string Text = "")
{
    /// <summary>Numbers that it takes off the stack.</summary>
    public int Operands => Operation switch { < Operation.Negate => 0, < Operation.Add => 1, _ => 2 };
}

/// <summary>
/// Numbers, <c>+ - * / ^</c>, brackets, functions, comparisons and <c>and or not</c> over columns. Whatever has no finite value — a cell that is no
/// number, a division by zero, the logarithm of a negative, an overflow on the way — is NaN from there to the end, and no operation hides it.
/// Truth has three values: a comparison with NaN is unknown, <c>false and unknown</c> is false, <c>true or unknown</c> is true.
/// </summary>
internal sealed class Expression
{
    private readonly Instruction[] _code;
    private readonly int _depth;

    /// <summary>Instructions that leave one number on the stack.</summary>
    internal Expression(string text, ExpressionType type, IReadOnlyList<Instruction> code)
    {
        Text = text;
        Type = type;
        _code = [.. code];
        int height = 0;
        foreach (var instruction in _code)
        {
            height += 1 - instruction.Operands;
            _depth = Math.Max(_depth, height);
        }
    }

    /// <summary>As the user wrote it.</summary>
    public string Text { get; }

    public ExpressionType Type { get; }

    /// <summary>Positions of the columns that it reads, each once.</summary>
    public IReadOnlyList<int> Columns => [.. _code.Where(c => c.Column >= 0).Select(c => c.Column).Distinct()];

    /// <summary>The value in a row; NaN where it has none.</summary>
    /// <param name="cells">Of the columns that the expression was read for.</param>
    /// <param name="row">From 0.</param>
    public double Evaluate(RunCells cells, int row) => Evaluate(cells, row, why: false, out _);

    /// <summary>Why there is no value in a row, with the cells that it was to be computed from.</summary>
    /// <param name="cells">Of the columns that the expression was read for.</param>
    /// <param name="row">From 0, one where <see cref="Evaluate(RunCells, int)"/> gives NaN.</param>
    public string Reason(RunCells cells, int row)
    {
        Evaluate(cells, row, why: true, out string? reason);
        return reason + Operands(cells, row);
    }

    /// <summary><c>, where step is '5', batch is '0'</c>: the cells of a row that the expression reads; empty where it reads none.</summary>
    /// <param name="cells">Of the columns that the expression was read for.</param>
    /// <param name="row">From 0.</param>
    public string Operands(RunCells cells, int row)
    {
        var read = Columns.Select(c => $"{Word.Cut(cells.Columns[c])} is {RunCells.Shown(cells.Text(c, row))}").ToList();
        return read.Count == 0 ? "" : $", where {string.Join(", ", read)}";
    }

    /// <param name="cells">Of the columns that the expression was read for.</param>
    /// <param name="row">From 0.</param>
    /// <param name="why">Whether a reason is wanted; writing one for every row of a large table would take minutes.</param>
    /// <param name="reason">Of the first instruction without a value.</param>
    private double Evaluate(RunCells cells, int row, bool why, out string? reason)
    {
        reason = null;
        Span<double> stack = stackalloc double[_depth];
        int top = -1;
        foreach (ref readonly var instruction in _code.AsSpan())
        {
            top += 1 - instruction.Operands;
            double left = instruction.Operands > 0 ? stack[top] : 0, right = instruction.Operands > 1 ? stack[top + 1] : 0;
            double value = instruction.Operation switch
            {
                Operation.Number => instruction.Value,
                Operation.Column => cells.Numbers(instruction.Column, truths: true)[row],
                Operation.TextEquals or Operation.TextDiffers =>
                    cells.Text(instruction.Column, row).AsSpan().Trim().SequenceEqual(instruction.Text) == (instruction.Operation == Operation.TextEquals) ? 1 : 0,
                Operation.And => left == 0 || right == 0 ? 0 : left * right,
                Operation.Or => left == 1 || right == 1 ? 1 : Math.Max(left, right),
                _ => double.IsNaN(left) || double.IsNaN(right) ? double.NaN : Finite(Apply(instruction.Operation, left, right)),
            };
            if (why && double.IsNaN(value) && reason is null)
            {
                reason = Why(cells, row, instruction, left, right);
            }

            stack[top] = value;
        }

        return stack[0];
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : double.NaN;

    private static double Apply(Operation operation, double left, double right) => operation switch
    {
        Operation.Negate => -left,
        Operation.Ln => Math.Log(left),
        Operation.Log10 => Math.Log10(left),
        Operation.Log2 => Math.Log2(left),
        Operation.Exp => Math.Exp(left),
        Operation.Sqrt => Math.Sqrt(left),
        Operation.Abs => Math.Abs(left),
        Operation.Floor => Math.Floor(left),
        Operation.Ceil => Math.Ceiling(left),
        Operation.Round => Math.Round(left, MidpointRounding.AwayFromZero),
        Operation.Not => 1 - left,
        Operation.Add => left + right,
        Operation.Subtract => left - right,
        Operation.Multiply => left * right,
        Operation.Divide => left / right,
        Operation.Power => Math.Pow(left, right),
        Operation.Min => Math.Min(left, right),
        Operation.Max => Math.Max(left, right),
        Operation.Equal => left == right ? 1 : 0,
        Operation.Different => left != right ? 1 : 0,
        Operation.Less => left < right ? 1 : 0,
        Operation.LessOrEqual => left <= right ? 1 : 0,
        Operation.Greater => left > right ? 1 : 0,
        Operation.GreaterOrEqual => left >= right ? 1 : 0,
        _ => throw new InvalidOperationException($"{operation} is no operation on numbers"),
    };

    private static string Why(RunCells cells, int row, Instruction instruction, double left, double right) => instruction.Operation switch
    {
        Operation.Column => $"'{cells.Columns[instruction.Column]}' is no number",
        Operation.Divide when right == 0 => "it divides by zero",
        Operation.Ln or Operation.Log10 or Operation.Log2 or Operation.Sqrt =>
            $"{instruction.Operation.ToString().ToLowerInvariant()} of {left.ToString("G6", CultureInfo.InvariantCulture)} has no finite value",
        Operation.Power => $"{left.ToString("G6", CultureInfo.InvariantCulture)} to the power of {right.ToString("G6", CultureInfo.InvariantCulture)} has no finite value",
        _ => "its value is beyond what a number holds",
    };
}
