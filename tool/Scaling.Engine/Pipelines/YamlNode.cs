// YAML as a tree in which every node knows its place.
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>A value of a YAML file.</summary>
/// <param name="Location">Where it begins; line and column from 1.</param>
public abstract record YamlNode(SourceLocation Location)
{
    /// <summary>Whether this is a plain <c>null</c>, <c>~</c> or nothing at all.</summary>
    public bool IsNull => this is YamlScalar { Quoted: false, Text: "" or "~" or "null" or "Null" or "NULL" };
}

/// <summary>A word, number or text. What it means is decided by whoever expects something of it.</summary>
/// <param name="Text">Without quotes, escapes resolved.</param>
/// <param name="Quoted">Written in quotes or as a block: text, whatever it looks like.</param>
/// <param name="Location">Where it begins.</param>
public sealed record YamlScalar(string Text, bool Quoted, SourceLocation Location) : YamlNode(Location);

/// <summary>A list.</summary>
/// <param name="Items">In file order.</param>
/// <param name="Location">Where it begins.</param>
public sealed record YamlSequence(IReadOnlyList<YamlNode> Items, SourceLocation Location) : YamlNode(Location);

/// <summary>A mapping; every key stands once.</summary>
/// <param name="Entries">In file order.</param>
/// <param name="Location">Where it begins.</param>
public sealed record YamlMapping(IReadOnlyList<YamlEntry> Entries, SourceLocation Location) : YamlNode(Location);

/// <summary>A key and its value.</summary>
/// <param name="Key">Its place is the entry's.</param>
/// <param name="Value">Any node.</param>
public sealed record YamlEntry(YamlScalar Key, YamlNode Value);

/// <summary>Stands where something was refused (an alias) and reported, so that nobody reports it again.</summary>
/// <param name="Location">Where it stood.</param>
public sealed record YamlRefused(SourceLocation Location) : YamlNode(Location);
