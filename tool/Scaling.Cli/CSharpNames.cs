// Names of a file as C# says them.
using System.Globalization;
using System.Text;

namespace Scaling.Cli;

internal static class CSharpNames
{
    /// <summary>Members that every record has, with which no property may share its name.</summary>
    public static readonly IReadOnlyList<string> OfEveryRecord =
        ["Clone", "Deconstruct", "EqualityContract", "Equals", "Finalize", "GetHashCode", "GetType", "MemberwiseClone", "PrintMembers", "ReferenceEquals", "ToString"];

    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default", "delegate", "do", "double", "else",
        "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock",
        "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected", "public", "readonly", "ref", "return", "sbyte", "sealed",
        "short", "sizeof", "stackalloc", "static", "string", "struct", "switch", "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using",
        "virtual", "void", "volatile", "while",

        // Words of later versions, which no type may be named.
        "extension", "field", "file", "record", "required", "scoped", "var", "partial", "where", "await", "nint", "nuint", "dynamic", "notnull", "unmanaged", "allows", "managed",
    };

    /// <summary>Whether a text is dotted identifiers of letters, digits and underscores.</summary>
    public static bool IsTypeName(string text) =>
        text.Split('.').All(part => part.Length > 0 && !char.IsDigit(part[0]) && part.All(c => c == '_' || char.IsLetterOrDigit(c)));

    /// <summary>With an at sign where it would be a keyword.</summary>
    public static string Escaped(string name) => Keywords.Contains(name) ? "@" + name : name;

    /// <summary><c>num_hidden_layers</c> as <c>NumHiddenLayers</c>. What is no letter or digit parts words; a digit in front gets an underscore; nothing at all is <c>Value</c>.</summary>
    public static string Pascal(string name)
    {
        var text = new StringBuilder();
        bool begins = true;
        foreach (char c in name)
        {
            if (!char.IsLetterOrDigit(c))
            {
                begins = true;
                continue;
            }

            text.Append(begins ? char.ToUpperInvariant(c) : c);
            begins = false;
        }

        return text.Length == 0 ? "Value" : char.IsDigit(text[0]) ? "_" + text : text.ToString();
    }

    /// <summary>The name, or the name with <c>Value</c> and a number behind it where it is taken; it is taken then.</summary>
    public static string Unique(string name, HashSet<string> taken)
    {
        string unique = name;
        for (int i = 1; !taken.Add(unique); i++)
        {
            unique = i == 1 ? name + "Value" : string.Create(CultureInfo.InvariantCulture, $"{name}Value{i}");
        }

        return unique;
    }

    /// <summary>Text of a documentation comment, on one line.</summary>
    public static string Xml(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");

    /// <summary>A text as a string literal.</summary>
    public static string Literal(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (char c in text)
        {
            literal.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                _ when char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => c.ToString(),
            });
        }

        return literal.Append('"').ToString();
    }
}
