import type { ReactNode } from 'react';
import { KeyboardAvoidingView, Platform, ScrollView, StyleSheet, Text, View } from 'react-native';

import { useTheme } from './theme';

/** A screen: a sign, a title, a line about it, and what can be done below. */
export function Page(props: { sign: ReactNode; title: string; line: string; children: ReactNode }) {
  const theme = useTheme();
  return (
    <KeyboardAvoidingView
      behavior={Platform.OS === 'ios' ? 'padding' : undefined}
      style={[styles.fill, { backgroundColor: theme.ground }]}
    >
      <ScrollView contentContainerStyle={styles.scroll} keyboardShouldPersistTaps="handled">
        <View role="main" style={styles.column}>
          <View style={styles.head}>
            {props.sign}
            <Text role="heading" aria-level={1} style={[styles.title, { color: theme.text }]}>
              {props.title}
            </Text>
            <Text style={[styles.line, { color: theme.quiet }]}>{props.line}</Text>
          </View>
          {props.children}
        </View>
      </ScrollView>
    </KeyboardAvoidingView>
  );
}

/** A round sign with a letter or two. */
export function Badge({
  text,
  tone = 'soft',
}: {
  text: string;
  tone?: 'soft' | 'badSoft' | 'waitSoft';
}) {
  const theme = useTheme();
  const color = { soft: theme.accent, badSoft: theme.bad, waitSoft: theme.wait }[tone];
  return (
    <View aria-hidden style={[styles.badge, { backgroundColor: theme[tone] }]}>
      <Text style={[styles.letters, { color }]}>{text}</Text>
    </View>
  );
}

/** A sheet with what belongs together. */
export function Card({ title, children }: { title?: string; children: ReactNode }) {
  const theme = useTheme();
  return (
    <View style={[styles.card, { backgroundColor: theme.card, borderColor: theme.line }]}>
      {title !== undefined && (
        <Text role="heading" aria-level={2} style={[styles.cardTitle, { color: theme.text }]}>
          {title}
        </Text>
      )}
      {children}
    </View>
  );
}

const styles = StyleSheet.create({
  fill: { flex: 1 },
  scroll: { flexGrow: 1, justifyContent: 'center', padding: 20, paddingVertical: 64 },
  column: { width: '100%', maxWidth: 440, alignSelf: 'center', gap: 20 },
  head: { alignItems: 'center', gap: 10, marginBottom: 8 },
  title: { fontSize: 28, lineHeight: 34, fontWeight: '700', textAlign: 'center' },
  line: { fontSize: 16, lineHeight: 23, textAlign: 'center' },
  badge: {
    width: 76,
    height: 76,
    borderRadius: 38,
    alignItems: 'center',
    justifyContent: 'center',
    marginBottom: 4,
  },
  letters: { fontSize: 30, fontWeight: '700' },
  card: { padding: 18, borderRadius: 20, borderWidth: StyleSheet.hairlineWidth, gap: 14 },
  cardTitle: { fontSize: 17, fontWeight: '600' },
});
