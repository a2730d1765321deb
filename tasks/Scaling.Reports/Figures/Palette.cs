// Colours that readers with any kind of colour vision tell apart, and marks that tell them apart again in grey.
namespace Scaling.Reports;

/// <summary>The palette of Okabe and Ito (2008, "Color Universal Design"), as <c>#rrggbb</c>; yellow is left out, being faint on white.</summary>
public static class Palette
{
    /// <summary>Text and axes.</summary>
    public const string Ink = "#222222";

    /// <summary>What stands in the background: candidates that lost, lines of reference.</summary>
    public const string Grey = "#8a8a8a";

    /// <summary>Blue.</summary>
    public const string Blue = "#0072b2";

    /// <summary>Vermilion.</summary>
    public const string Vermilion = "#d55e00";

    /// <summary>Bluish green.</summary>
    public const string Green = "#009e73";

    /// <summary>Groups take these in order.</summary>
    public static readonly IReadOnlyList<string> Groups = [Blue, Vermilion, Green, "#cc79a7", "#e69f00", "#56b4e9", Ink];

    /// <summary>Subgroups take these in order.</summary>
    public static readonly IReadOnlyList<Mark> Marks = [Mark.Circle, Mark.Triangle, Mark.Square, Mark.Diamond, Mark.Cross];

    /// <summary>Colour of the group at a position; colours repeat after the seventh.</summary>
    /// <param name="position">From 0.</param>
    public static string Group(int position) => Groups[position % Groups.Count];

    /// <summary>Mark of the subgroup at a position; marks repeat after the fifth.</summary>
    /// <param name="position">From 0.</param>
    public static Mark Subgroup(int position) => Marks[position % Marks.Count];
}
