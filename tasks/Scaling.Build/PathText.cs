// Paths and names as MSBuild and C# write them.

namespace Scaling.Build;

internal static class PathText
{
    /// <summary>MSBuild unescapes the text of an item and of metadata when it takes it from a task: what is special in it must survive that.</summary>
    public static string Escaped(string text) => text.Replace("%", "%25").Replace(";", "%3B").Replace("$", "%24").Replace("@", "%40").Replace("*", "%2A").Replace("?", "%3F");

    /// <summary>Whether a text is dotted identifiers of letters, digits and underscores.</summary>
    public static bool IsTypeName(string text) =>
        text.Split('.').All(part => part.Length > 0 && !char.IsDigit(part[0]) && part.All(c => c == '_' || char.IsLetterOrDigit(c)));
}
